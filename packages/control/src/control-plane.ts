import type { Activity, ActivityState, DeploymentId, DeploymentStatus, Digest, NodeKind } from '@coppice/model';
import type { Plan } from '@coppice/plan';
import type { DataCommands } from './data-commands.ts';

/**
 * What people and programs may ask of a running Coppice; the HTTP API is a thin shell over it. Views are the JSON of the
 * interfaces note. Every method throws CoppiceError: `not-found`, `conflict`, `invalid-request`, and what its work may throw.
 */
export interface ControlPlane extends DataCommands {
  createProject(name: string): Promise<ProjectView>;
  listProjects(): readonly ProjectView[];
  /** Deletes its environments, data and repository. */
  deleteProject(name: string, actor: string): Promise<void>;

  listEnvironments(project: string): Promise<readonly EnvironmentView[]>;
  /** `environment`: a name or branch; empty: the default (`main`, else the first pushed). */
  showEnvironment(project: string, environment: string): Promise<EnvironmentDetail>;
  /** Stops and removes all of it, and its branch; its data goes to the trash. */
  deleteEnvironment(project: string, environment: string, actor: string): Promise<ActivityRef>;
  /** The tip again; `refresh`: resolved and built anew. */
  redeploy(project: string, environment: string, options: { readonly actor: string; readonly refresh: boolean }): Promise<ActivityRef>;
  /** Stops all that runs and keeps the data; the next request wakes it. */
  suspend(project: string, environment: string, actor: string): Promise<ActivityRef>;
  resume(project: string, environment: string, actor: string): Promise<ActivityRef>;
  /** One commit on the tip with that deployment's tree, deployed like a push; `withData`: with the data that it last served. */
  revert(
    project: string,
    deployment: string,
    options: { readonly actor: string; readonly environment: string; readonly withData: boolean },
  ): Promise<ActivityRef>;

  /** What deploying a revision known to the server would change; the environment's tip where `revision` is empty. */
  plan(project: string, request: { readonly environment: string; readonly revision: string }): Promise<PlanView>;
  /** Newest first; of all environments where `environment` is undefined. */
  listDeployments(project: string, environment: string | undefined): readonly DeploymentView[];
  /** Every node pinned; of the environment's live release where `revision` is empty. */
  showRelease(project: string, request: { readonly environment: string; readonly revision: string }): Promise<ReleaseView>;
  /** Between two deployments (id), environments (name or branch) or revisions; of variables and passwords of routes only keyed hashes. */
  diff(project: string, from: string, to: string): Promise<DiffView>;
  explain(
    project: string,
    request: { readonly environment: string; readonly about: 'build' | 'restart'; readonly node: string },
  ): Promise<ExplainView>;

  /** Newest first, at most `limit`; `before`: only those with a smaller sequence, such as the `next` of the page before. */
  listActivities(filter: {
    readonly project?: string;
    readonly environment?: string;
    readonly state?: ActivityState;
    readonly before?: number;
    readonly limit: number;
  }): ActivityPage;
  /** Lines so far and as they come; ends when the activity does, or at once unless `follow`. */
  activityLog(id: string, options: { readonly follow: boolean; readonly signal?: AbortSignal }): AsyncIterable<string>;
  showActivity(id: string): ActivityView;
  /** Stops a build or deployment; the old release stays. */
  cancelActivity(id: string, actor: string): Promise<void>;
  /** Resolves when the activity has ended. */
  waitActivity(id: string): Promise<ActivityView>;
  /**
   * Activities as they start, change and end, each as it is when it is told: changes that follow each other quickly are told as one. First
   * those that changed since the revision `after`; where that is undefined, or was never given, only what changes from now on.
   */
  events(options: { readonly after: number | undefined; readonly signal: AbortSignal }): AsyncIterable<ActivityView>;

  /** Output of one node's instances, or of all, each line with its node. Secrets are redacted. */
  logs(project: string, request: LogRequest): AsyncIterable<NodeLogLine>;
  /** The container id and engine access for a command in a ready instance of the node. */
  execTarget(project: string, request: { readonly environment: string; readonly node: string }): Promise<{ readonly instance: string }>;

  doctor(): Promise<readonly DoctorCheck[]>;
  /** Whether each part works, for /readyz: part → undefined, or what is wrong. */
  readiness(): Promise<Readonly<Record<string, string | undefined>>>;
}

export interface ProjectView {
  readonly name: string;
  /** Git URL to push to, without a token. */
  readonly remote: string;
}

export type EnvironmentStatus = 'creating' | 'active' | 'degraded' | 'suspended' | 'waking' | 'closed' | 'deleting';

export interface EnvironmentView {
  readonly name: string;
  readonly branch: string;
  /** Name of the parent, or null. */
  readonly parent: string | null;
  readonly status: EnvironmentStatus;
  readonly urls: readonly string[];
  readonly release: { readonly commit: string; readonly tree: string; readonly digest: string } | null;
  /** Id of the deployment that is served, or null. */
  readonly deployment: string | null;
}

export interface EnvironmentDetail extends EnvironmentView {
  readonly nodes: readonly NodeView[];
}

export interface NodeView {
  readonly name: string;
  readonly kind: NodeKind;
  readonly digest: Digest;
  /** Manifest digest. */
  readonly image: Digest;
  readonly instances: readonly { readonly id: string; readonly status: 'starting' | 'ready' | 'unready' | 'crashed' | 'stopping' }[];
  /** How often it crashed lately, how the last one ended, and how long until its next start; null where it did not. */
  readonly crashes: { readonly count: number; readonly last: string; readonly startsInMs: number } | null;
}

export interface DeploymentView {
  readonly id: DeploymentId;
  readonly sequence: number;
  /** Name of the environment. */
  readonly environment: string;
  readonly commit: string;
  readonly release: string | null;
  readonly status: DeploymentStatus;
  readonly reason: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durations: { readonly build: number; readonly plan: number; readonly apply: number };
  readonly plans: readonly { readonly digest: string; readonly changes: number }[];
}

export interface PlanView {
  readonly digest: Digest;
  readonly changes: Plan['changes'];
  readonly steps: readonly {
    readonly id: string;
    readonly kind: string;
    readonly node: string | null;
    readonly after: readonly string[];
  }[];
  /** Nodes whose image is not built yet: its build key. The changes are then what is known without building. */
  readonly toBuild: readonly { readonly node: string; readonly key: Digest }[];
}

export interface ReleaseView {
  readonly commit: string;
  readonly tree: string;
  readonly digest: Digest;
  readonly nodes: readonly {
    readonly name: string;
    readonly kind: NodeKind;
    readonly image: Digest;
    readonly digest: Digest;
    readonly type: string;
    readonly version: string;
  }[];
}

export interface DiffView {
  readonly equal: boolean;
  readonly changes: readonly { readonly path: string; readonly from: unknown; readonly to: unknown }[];
}

export interface ExplainView {
  readonly node: string;
  readonly key: string;
  readonly inputs: readonly {
    readonly name: string;
    readonly from: string | null;
    readonly to: string | null;
    readonly changed: boolean;
  }[];
}

export interface ActivityView extends Omit<Activity, 'environment'> {
  /** Name of the environment, or null. */
  readonly environment: string | null;
}

/** Some of the activities. */
export interface ActivityPage {
  readonly items: readonly ActivityView[];
  /** Where the next page begins, see `before`; null: there are no more. */
  readonly next: number | null;
}

/** What a request for long work answers. */
export interface ActivityRef {
  readonly activity: string;
}

export interface LogRequest {
  readonly environment: string;
  /** Empty: all nodes. */
  readonly node: string;
  readonly follow: boolean;
  /** RFC 3339 or undefined. */
  readonly since: string | undefined;
  readonly tail: number | undefined;
  readonly signal: AbortSignal;
}

export interface NodeLogLine {
  readonly node: string;
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface DoctorCheck {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, empty where it is fine. */
  readonly fix: string;
}
