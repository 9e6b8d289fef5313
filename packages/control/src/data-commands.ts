import type { ActivityRef } from './control-plane.ts';

/**
 * What people and programs may ask about the data of environments. Views are the JSON of the interfaces note. Every method throws
 * CoppiceError: `not-found` for a project, environment, backup or thing in the trash that is not there, `conflict` where the data is closed
 * or the environment in no state for it, and what its work may throw. An environment is given by name or branch; empty: the default one.
 */
export interface DataCommands {
  /** Keeps the whole environment as it is now: release, variable set and all volumes at one instant. Resolves when it is kept. */
  createBackup(project: string, environment: string, actor: string): Promise<{ readonly id: string }>;
  /** Newest first; of all environments, those that are gone too, where `environment` is undefined. */
  listBackups(project: string, environment: string | undefined): Promise<readonly BackupView[]>;
  /**
   * Puts the data of a backup in place of an environment's, under the release that is live there; what is there is backed up first. `to`: an
   * environment; empty: the one it was taken of.
   */
  restoreBackup(project: string, id: string, options: { readonly to: string; readonly actor: string }): Promise<ActivityRef>;

  /**
   * Takes the data of the parent again, as it is now, under the release that is live. What is there is backed up first. Throws `conflict`
   * where changes of the environment's own would be thrown away and `force` is not given, or where it has no parent.
   */
  sync(project: string, environment: string, options: { readonly actor: string; readonly force: boolean }): Promise<ActivityRef>;
  /** Creates a branch on the server and its environment. Throws `conflict` where the branch is there, `invalid-request` for a bad name. */
  branch(project: string, request: BranchRequest): Promise<ActivityRef>;

  /** What each volume of an environment holds; looks at every file. */
  listVolumes(project: string, environment: string): Promise<readonly VolumeView[]>;

  /** What was deleted and can come back, newest first. */
  listTrash(project: string): Promise<readonly TrashView[]>;
  /** Brings back what was deleted: the data of a node to its environment, or a whole environment with its branch. */
  restoreTrash(project: string, id: string, actor: string): Promise<ActivityRef>;
  /** Deletes all in the trash of the project for good. */
  emptyTrash(project: string, actor: string): Promise<ActivityRef>;

  /** Deletes what nothing needs any more, of all projects, and says why each thing stays or goes; `dryRun` only says it. */
  collectGarbage(options: { readonly dryRun: boolean; readonly actor: string }): Promise<readonly GarbageItem[]>;
}

/** A branch to create without a push. */
export interface BranchRequest {
  /** Of the branch. */
  readonly name: string;
  /** The environment that it is a copy of; empty: that of `at`, else the default one. */
  readonly from: string;
  /** Id of a deployment of `from` whose release, and data as far as it is kept, it begins with; empty: what is live, as it is now. */
  readonly at: string;
  readonly actor: string;
}

/** A kept copy of a whole environment at one instant. */
export interface BackupView {
  /** `b_…` */
  readonly id: string;
  /** Name of the environment that it was taken of; that may be gone. */
  readonly environment: string;
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
  /** What the copy holds, also where it shares it with others; null until that was counted. */
  readonly bytes: number | null;
  /** Why it was taken, for people. */
  readonly reason: string;
}

/** A volume of an environment. */
export interface VolumeView {
  /** As it is declared; `NODE~ID`: what was a node's and lies in the trash. */
  readonly node: string;
  readonly volume: string;
  /** What it shows, also where it shares that with copies. */
  readonly bytes: number;
}

/** Deleted data that is kept for some days. */
export interface TrashView {
  /** `t_…` */
  readonly id: string;
  /** Name of the environment that it belonged to; that may be gone. */
  readonly environment: string;
  /** The node whose data it is, as it was declared; null: all of the environment. */
  readonly node: string | null;
  /** RFC 3339 in UTC. */
  readonly deletedAt: string;
  /** When it goes for good, at the earliest; RFC 3339 in UTC. */
  readonly purgedAt: string;
  /** Null until it was counted. */
  readonly bytes: number | null;
}

/** One thing that a collection of garbage looked at. */
export interface GarbageItem {
  /** Such as image, layer, base, build cache, snapshot. */
  readonly kind: string;
  readonly id: string;
  readonly action: 'keep' | 'delete';
  /** For people. */
  readonly why: string;
}
