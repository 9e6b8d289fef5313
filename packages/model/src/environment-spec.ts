import { type DeploymentId, type Digest, digestOf, type NodeName, type SnapshotId } from './identifiers.ts';
import type { NodeSpec } from './node-spec.ts';
import type { TopologyRoute } from './topology.ts';

/** What one environment shall run: a release after the branch's overlay. */
export interface EnvironmentSpec {
  readonly v: 1;
  readonly release: Digest;
  /** Sorted by name, sizes, instances and variables of the branch's rule applied. */
  readonly nodes: readonly NodeSpec[];
  readonly routes: readonly TopologyRoute[];
  /** Without a request for so long it sleeps; undefined: never by itself. */
  readonly suspendAfterMs?: number;
}

/** SHA-256 of the spec's canonical JSON. */
export function environmentSpecDigest(spec: EnvironmentSpec): Digest {
  return digestOf(spec);
}

/** What shall be. Everything that happens only writes a new one; the loop does the rest. */
export interface Desired {
  readonly exists: boolean;
  readonly run: 'up' | 'suspended';
  readonly spec: EnvironmentSpec | undefined;
  /** Raised by whatever replaces the data: a clone, a sync, a restore. The set of volumes carries the one it is of. */
  readonly dataGeneration: number;
  /** Where the data of this generation comes from; absent where it is the environment's own from the start. */
  readonly dataSource?: DataSource;
  /** Renames of nodes' volumes, done once nobody holds them: only where `from` is there and `to` is not. */
  readonly volumeMoves?: readonly VolumeMove[];
  /** Of one that shall not exist: its data is kept under this id; absent: it is deleted. */
  readonly keepData?: SnapshotId;
  /** The deployment that asked for this, which names its Jobs. */
  readonly attempt: DeploymentId | undefined;
}

/** A kept copy that becomes an environment's data. */
export interface DataSource {
  readonly from: SnapshotId;
  /** False: the copy was made for this alone and is used up by it. */
  readonly keep: boolean;
  /** What the environment held before is kept under this id. */
  readonly aside: SnapshotId;
  /** The deployment that brought it, where one did: the data goes back with it where it fails. */
  readonly attempt?: DeploymentId;
  /** Must succeed before anything may reach the data; absent once it did, or where nobody asked for it. */
  readonly sanitize?: Sanitize;
  /** What it takes the place of was not sanitised: nothing may reach that until it is gone. */
  readonly replacesClosed?: true;
}

/** A Job that takes out of foreign data what must not be seen. It runs the image of the release that demands it, whatever the branch made of it. */
export interface Sanitize {
  readonly node: NodeName;
  readonly run: string;
  readonly timeoutMs: number;
  /** Digest of the environment spec that demands it. */
  readonly spec: Digest;
}

/** Both are nodes' names; `NODE~ID` is what was a node's and belongs to none. */
export interface VolumeMove {
  readonly from: string;
  readonly to: string;
}

/** Whether foreign data is closed to everybody since it was not sanitised yet. */
export function isClosed({ dataSource }: Desired): boolean {
  return dataSource?.sanitize !== undefined;
}
