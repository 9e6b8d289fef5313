import type {
  Activity,
  ActivityKind,
  ActivityState,
  Deployment,
  DeploymentId,
  DeploymentStatus,
  Desired,
  Digest,
  EnvironmentId,
  EnvironmentSpec,
  GitId,
  NodeName,
  Release,
  SnapshotId,
} from '@coppice/model';

/**
 * What the control plane remembers: wishes and history, never what runs. Synchronous (SQLite); each method is one transaction.
 * Throws CoppiceError `not-found`, `conflict` and `state-failed`.
 */
export interface Store {
  readonly projects: ProjectStore;
  readonly environments: EnvironmentStore;
  readonly releases: ReleaseStore;
  readonly deployments: DeploymentStore;
  readonly intents: IntentStore;
  readonly backups: BackupStore;
  readonly trash: TrashStore;
  readonly activities: ActivityStore;
  readonly secrets: SecretStore;
  readonly tokens: TokenStore;
  /** Runs `work` as one transaction over several stores. */
  transaction<Result>(work: () => Result): Result;
  close(): void;
}

export interface Project {
  /** `p_…`, which names directories. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}
export interface ProjectStore {
  /** `conflict` where the name is in use. */
  create(name: string): Project;
  list(): readonly Project[];
  find(name: string): Project | undefined;
  /** Only when it has no environments left (`conflict`). Removes its ledger and history. */
  delete(name: string): void;
}

export interface EnvironmentRecord {
  readonly id: EnvironmentId;
  readonly sequence: number;
  /** The project's name, as everywhere a `project` is referred to. */
  readonly project: string;
  /** The DNS label. */
  readonly name: string;
  readonly branch: string;
  readonly parent: EnvironmentId | undefined;
  readonly desired: Desired;
  /** The deployment that is served, set when one succeeded. */
  readonly live: DeploymentId | undefined;
  readonly createdAt: string;
}
export interface EnvironmentStore {
  create(environment: {
    readonly project: string;
    readonly name: string;
    readonly branch: string;
    readonly parent: EnvironmentId | undefined;
  }): EnvironmentRecord;
  /** All, or one project's; oldest first. */
  list(project?: string): readonly EnvironmentRecord[];
  get(id: EnvironmentId): EnvironmentRecord | undefined;
  findByBranch(project: string, branch: string): EnvironmentRecord | undefined;
  findByName(project: string, name: string): EnvironmentRecord | undefined;
  /** The spec itself is stored once by digest. */
  setDesired(id: EnvironmentId, desired: Desired): void;
  setLive(id: EnvironmentId, deployment: DeploymentId): void;
  /** Forgets it with its secrets, addresses and jobs; its deployments stay as history until the project goes. */
  delete(id: EnvironmentId): void;
  /** Offset (1 to 254) of the node's stable address; the same for the node's life, allocated at first use. */
  addressOffset(id: EnvironmentId, node: NodeName): number;
  /** Records how a job of an attempt ended; `started` alone means it may have been cut off. */
  recordJob(job: {
    readonly deployment: DeploymentId;
    readonly node: NodeName;
    readonly hook: string;
    readonly state: JobState;
    readonly exitCode: number | undefined;
  }): void;
  jobs(
    deployment: DeploymentId,
  ): readonly { readonly node: NodeName; readonly hook: string; readonly state: JobState; readonly exitCode: number | undefined }[];
}
export type JobState = 'started' | 'succeeded' | 'failed';

export interface ReleaseStore {
  put(release: Release): Digest;
  get(digest: Digest): Release | undefined;
  putSpec(spec: EnvironmentSpec): Digest;
  getSpec(digest: Digest): EnvironmentSpec | undefined;
  /** The ledger: first resolution of a tree in a project. */
  resolved(project: string, tree: GitId): Digest | undefined;
  /** Records it where there is none, or in place of the old one where `refresh`; answers what stands. */
  resolve(project: string, tree: GitId, release: Digest, mode: 'first' | 'refresh'): Digest;
}

export interface StoredPlan {
  readonly digest: Digest;
  readonly changes: number;
  /** The whole plan as canonical JSON. */
  readonly json: string;
}
export interface DeploymentStore {
  create(deployment: {
    readonly environment: EnvironmentId;
    readonly commit: GitId;
    readonly tree: GitId;
    readonly release: Digest | undefined;
    readonly spec: Digest | undefined;
    readonly status: DeploymentStatus;
    readonly reason: string;
    readonly actor: string;
  }): Deployment;
  get(id: DeploymentId): Deployment | undefined;
  /** Digest of the environment spec it deployed. */
  specOf(id: DeploymentId): Digest | undefined;
  /** Newest first. */
  list(environment: EnvironmentId, limit?: number): readonly Deployment[];
  /** Of all environments of the project, newest first. */
  listProject(project: string, limit?: number): readonly Deployment[];
  update(
    id: DeploymentId,
    change: {
      readonly status?: DeploymentStatus;
      readonly reason?: string;
      readonly release?: Digest;
      readonly spec?: Digest;
      readonly durations?: Partial<Deployment['durations']>;
      readonly finished?: boolean;
    },
  ): void;
  addPlan(id: DeploymentId, plan: StoredPlan): void;
  plans(id: DeploymentId): readonly StoredPlan[];
}

/** A ref change on its way: written before anything is applied, dropped once the ref moved or the attempt failed. */
export interface Intent {
  readonly id: string;
  readonly project: string;
  readonly environment: EnvironmentId;
  readonly ref: string;
  /** 40 zeros: the ref is new; as `next`: it is deleted. */
  readonly previous: string;
  readonly next: string;
  readonly deployment: DeploymentId | undefined;
  readonly actor: string;
  readonly options: readonly string[];
  readonly phase: 'accepted' | 'applied' | 'moved';
}
export interface IntentStore {
  create(intent: Omit<Intent, 'id'>): Intent;
  setPhase(id: string, phase: Intent['phase']): void;
  list(): readonly Intent[];
  delete(id: string): void;
}

/** A kept copy of an environment's data at one instant, and what it was taken of. It outlives its environment and goes with the project. */
export interface BackupRecord {
  readonly id: SnapshotId;
  readonly sequence: number;
  readonly project: string;
  readonly environment: EnvironmentId;
  /** The environment's name at that instant. */
  readonly environmentName: string;
  /** `deployment`: taken before one; `replaced`: what other data took the place of. */
  readonly kind: 'manual' | 'scheduled' | 'deployment' | 'replaced';
  readonly reason: string;
  /** The deployment that was served when it was taken. */
  readonly deployment: DeploymentId | undefined;
  /** The deployment before which it was taken. */
  readonly before: DeploymentId | undefined;
  /** Digest of the environment spec that ran on this data. */
  readonly spec: Digest | undefined;
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
  /** Undefined until it was measured. */
  readonly bytes: number | undefined;
}
export interface BackupStore {
  /** A new `b_…`; nothing is stored under it yet. */
  newId(): SnapshotId;
  /** `conflict` where the id is taken. */
  create(backup: Omit<BackupRecord, 'sequence' | 'createdAt' | 'bytes'>): BackupRecord;
  get(id: SnapshotId): BackupRecord | undefined;
  /** Newest first. */
  list(filter: {
    readonly project?: string;
    readonly environment?: EnvironmentId;
    readonly before?: DeploymentId;
  }): readonly BackupRecord[];
  setBytes(id: SnapshotId, bytes: number): void;
  /** Forgets it; one that is gone is gone. */
  delete(id: SnapshotId): void;
}

/** Data that no release names any more, kept until its time has come. It outlives its environment and goes with the project. */
export interface TrashRecord {
  /** `t_…` */
  readonly id: string;
  readonly sequence: number;
  readonly project: string;
  readonly environment: EnvironmentId;
  /** The environment's name when it was deleted. */
  readonly environmentName: string;
  readonly branch: string;
  /** The node whose data it is, as it was declared; undefined: a whole environment's. */
  readonly node: string | undefined;
  /** Where it lies in the environment's set of volumes: `NODE`, or `NODE~ID` once detached; undefined for a whole set. */
  readonly folder: string | undefined;
  /** Type of the node, as `postgresql:16`. */
  readonly type: string | undefined;
  /** The kept copy that is the whole set. */
  readonly snapshot: SnapshotId | undefined;
  /** The deployment that was served when it was deleted. */
  readonly deployment: DeploymentId | undefined;
  /** What the branch pointed to when it was deleted. */
  readonly commit: GitId | undefined;
  /** RFC 3339 in UTC. */
  readonly deletedAt: string;
  /** RFC 3339 in UTC: not before it may the data be deleted. */
  readonly purgeAt: string;
  /** Undefined until it was measured. */
  readonly bytes: number | undefined;
}
export interface TrashStore {
  /** A new `t_…`; nothing is stored under it yet. */
  newId(): string;
  /** `conflict` where the id is taken; one is made where it is left out. */
  create(trash: Omit<TrashRecord, 'id' | 'sequence' | 'deletedAt' | 'bytes'> & { readonly id?: string }): TrashRecord;
  get(id: string): TrashRecord | undefined;
  /** Newest first. */
  list(filter: { readonly project?: string; readonly environment?: EnvironmentId }): readonly TrashRecord[];
  setBytes(id: string, bytes: number): void;
  /** Forgets it; one that is gone is gone. */
  delete(id: string): void;
}

export interface ActivityStore {
  create(activity: {
    readonly kind: ActivityKind;
    readonly project: string;
    readonly environment: EnvironmentId | undefined;
    readonly deployment: DeploymentId | undefined;
    readonly actor: string;
    readonly cause: string;
  }): Activity;
  get(id: string): Activity | undefined;
  /** Newest first. */
  list(filter: {
    readonly project?: string;
    readonly environment?: EnvironmentId;
    readonly state?: ActivityState;
    /** Only those with a smaller sequence. */
    readonly before?: number;
    readonly limit?: number;
  }): readonly Activity[];
  /** Those that changed since a revision, in the order of their last change. */
  changedSince(revision: number, limit: number): readonly Activity[];
  /** Of the last change there was; 0 before the first. */
  lastRevision(): number;
  update(
    id: string,
    change: { readonly state?: ActivityState; readonly environment?: EnvironmentId; readonly deployment?: DeploymentId },
  ): void;
  /** Appends redacted lines; the log is capped at 10,000 lines, the rest counted. */
  append(id: string, lines: readonly string[]): void;
  /** Lines from `after` (0-based count already seen). */
  log(id: string, after?: number): readonly string[];
}

export interface SecretStore {
  /** The secret's value; made (24 random bytes, base64url) and stored encrypted at first use. */
  obtain(environment: EnvironmentId, name: string): string;
  /** All values of an environment (or of all), for redaction. */
  values(environment?: EnvironmentId): readonly string[];
  /** 12 hexadecimal digits that stand for a text: equal texts have equal ones, on this server only, and nobody can tell the text from them. */
  keyedHash(text: string): string;
}

export interface TokenStore {
  /** Makes a token, stored hashed; the value is only ever returned here. */
  issue(name: string): string;
  /** The token's name where it is valid; compared in constant time. */
  verify(token: string): string | undefined;
}
