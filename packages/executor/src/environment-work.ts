import type { HostMount } from '@coppice/engine';
import type {
  DeploymentId,
  Digest,
  EnvironmentId,
  ListedGeneration,
  NetworkPolicy,
  NodeName,
  NodeSpec,
  ObservedInstance,
  RouteTable,
  SnapshotId,
} from '@coppice/model';

/** All that the steps of one environment's plan need to know; pure answers but for `record` and `say`. */
export interface EnvironmentWork {
  readonly environment: EnvironmentId;
  readonly project: string;
  readonly deployment: DeploymentId;
  /** A desired node, or one that is still there from before. Throws where it is neither. */
  readonly node: (name: NodeName) => NodeSpec;
  /** Secrets included: never logged. */
  readonly variables: (node: NodeSpec) => Readonly<Record<string, string>>;
  /** Names in /etc/hosts. */
  readonly hosts: (node: NodeSpec) => Readonly<Record<string, string>>;
  readonly provisionInput: (node: NodeSpec) => string;
  readonly policy: (now: NetworkNow) => NetworkPolicy;
  readonly routes: (now: RoutesNow) => RouteTable;
  /** How jobs of this attempt ended, as recorded. */
  readonly jobs: () => readonly {
    readonly node: NodeName;
    readonly hook: string;
    readonly state: 'started' | 'succeeded' | 'failed';
    readonly exitCode: number | undefined;
  }[];
  readonly recordJob: (job: {
    readonly node: NodeName;
    readonly hook: string;
    readonly state: 'started' | 'succeeded' | 'failed';
    readonly exitCode: number | undefined;
  }) => void;
  /**
   * What becomes of a generation that was replaced while requests are open on it: it may `stay` without holding up anything, it has to
   * `go`, or the plan should `wait` for them a while.
   */
  readonly linger: (generation: { readonly node: NodeName; readonly digest: Digest }) => 'stay' | 'go' | 'wait';
  /**
   * What takes out of foreign data what must not be seen, after how long it is killed, and which folders of the data it can be asked of:
   * those that the release mounts. Undefined where nothing has to.
   */
  readonly sanitize: () => { readonly run: string; readonly timeoutMs: number; readonly mounted: ReadonlySet<string> } | undefined;
  /** What that is run in: the node of the release that demands it, which reaches what it needs in this environment. Throws without one. */
  readonly sanitizeNode: () => NodeSpec;
  /** What was put aside of the desired data is about to be deleted: nothing is put there again. */
  readonly forgetAside: () => void;
  /** Where the data is copied while requests wait; undefined where nobody wants it. */
  readonly heldCopy: HeldCopy | undefined;
  /** The data is that of the desired generation from now on: where it is closed, the policy says so. */
  readonly switched: () => void;
  /** The job succeeded: the data is open. */
  readonly sanitized: () => void;
  readonly noteReady: (instances: readonly ObservedInstance[]) => void;
  /** A line for the activity's log and whoever follows it. */
  readonly say: (line: string) => void;
}

/** A copy of all data as it is while requests wait. */
export interface HeldCopy {
  readonly id: SnapshotId;
  /** It is made, and no request was open any more. */
  readonly copied: () => void;
  /** Requests go on from now on, so that what they write is not in it. */
  readonly outdated: () => void;
}

/** The network as it is, and which generation each node's stable address leads to. */
export interface NetworkNow {
  readonly generations: readonly ListedGeneration[];
  readonly serving: ReadonlyMap<NodeName, Digest>;
  readonly jobs: ReadonlyMap<NodeName, readonly string[]>;
}

/** The same, and the nodes at whose routes requests wait. */
export interface RoutesNow extends NetworkNow {
  readonly held: ReadonlySet<NodeName>;
}

/** A node's mounts on the host, made by the volumes. */
export type MountsOf = (node: NodeSpec) => Promise<readonly HostMount[]>;
