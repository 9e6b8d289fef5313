import type { EnvironmentId, NodeName, SnapshotId } from '@coppice/model';

/**
 * Where mutable data lives: one set of volumes per environment (one btrfs subvolume, or a folder), each volume a folder in it.
 * Beside each set lies a marker that says whose it is. Copies of sets are kept under ids of their own. Failures are CoppiceError `volume-failed`.
 */
export interface Volumes {
  readonly driver: VolumeDriver;
  /** Creates the set and the volume where missing, owned by `user` (`uid:gid`); resolves with its path on the host. */
  ensure(volume: VolumeRef, user: string): Promise<string>;
  /** Path of a volume that exists or will; makes nothing. */
  path(volume: VolumeRef): string;
  /** A folder that was detached from its node goes by the name `NODE~ID`, as in `inspect`. */
  list(): Promise<ReadonlyMap<EnvironmentId, readonly Omit<VolumeRef, 'environment'>[]>>;
  inspect(environment: EnvironmentId): Promise<readonly Omit<VolumeRef, 'environment'>[]>;
  /** Which data the set holds; undefined where there is no set. 0 for one made by `ensure`. */
  generation(environment: EnvironmentId): Promise<number | undefined>;
  /**
   * Keeps an atomic copy of the set as it is at this moment under an id: owners, modes, times, extended attributes, links, holes and special
   * files as they are; it appears whole or not at all. What is not on disk yet is not promised: the caller quiesces, syncs and freezes what
   * writes before. The drivers' costs differ, see `driver.costs`. Throws `not-found` without a set that is ours, `conflict` where the id is
   * taken, also by the same call before it.
   */
  snapshot(copy: SnapshotRequest): Promise<void>;
  /** All kept copies that are ours, sorted by id. `environment`: whose data it was, or shall be for one that was about to be used up. */
  snapshots(): Promise<readonly KeptSnapshot[]>;
  /** Deletes a kept copy; one that is gone is gone. */
  removeSnapshot(id: SnapshotId): Promise<void>;
  /**
   * Makes a kept copy, whoever's data it was, the set of an environment. The set that was there is kept under the id `aside`; where there was
   * none, nothing is. Does nothing where the set is of that generation already; cut off at any point, the set is the old one or the new one
   * once the volumes are opened again, and the same call goes on. Throws `not-found` where `from` is gone and it was not done, `conflict`
   * where `aside` is taken. Nothing may have the set open.
   */
  replace(change: Replacement): Promise<void>;
  /** Takes the set away and keeps it under an id; nothing where there is no set. Throws `conflict` where the id is taken. */
  setAside(change: SnapshotRequest): Promise<void>;
  /** Renames a node's folder within the set where `from` is there and `to` has no volumes; else nothing. */
  moveNode(move: NodeMove): Promise<void>;
  /** Deletes the folder of a node, or a detached one, from the set; done already is done. */
  removeNode(of: { readonly environment: EnvironmentId; readonly node: string }): Promise<void>;
  /** Bytes of a kept copy: on btrfs with quotas what is its own, else all that it holds. 0 where there is none. */
  snapshotUsage(id: SnapshotId): Promise<number>;
  /** Resolves when all that was written to the set, and to the file system that holds it, is on disk. Throws `not-found`. */
  sync(environment: EnvironmentId): Promise<void>;
  /** Deletes the whole set, not what was kept of it: only ever for the deletion of the environment. */
  removeSet(environment: EnvironmentId): Promise<void>;
  /**
   * Bytes that the set may hold from now on; what writes more gets EDQUOT. A copy that became the set of an environment brings the limit of
   * whose data it was. Nothing where `driver.quota` is 'not enforced'. Throws `not-found` without a set.
   */
  setQuota(environment: EnvironmentId, limitBytes: number | 'none'): Promise<void>;
  /** Bytes that the set shows; with quotas as of the file system's last commit, and cheap, else all of its files are looked at. */
  usage(environment: EnvironmentId): Promise<number>;
  /** Bytes that each volume shows, those that it shares with copies included; looks at every file. As `inspect` otherwise. */
  volumeUsage(environment: EnvironmentId): Promise<readonly (Omit<VolumeRef, 'environment'> & { readonly bytes: number })[]>;
}

export interface VolumeRef {
  readonly environment: EnvironmentId;
  readonly node: NodeName;
  /** Name within the node, see MountSpec.volume. */
  readonly volume: string;
}

/** A set and the id that a copy of it, or all of it, is kept under. */
export interface SnapshotRequest {
  readonly environment: EnvironmentId;
  readonly id: SnapshotId;
}

export type KeptSnapshot = SnapshotRequest;

/** What data an environment shall hold, see Volumes.replace. */
export interface Replacement {
  readonly environment: EnvironmentId;
  /** 1 or more: 0 is the data that `ensure` makes. */
  readonly generation: number;
  readonly from: SnapshotId;
  /** False: `from` is used up. */
  readonly keep: boolean;
  readonly aside: SnapshotId;
}

/** Both are names of nodes, or `NODE~ID` for what was a node's and belongs to none now. */
export interface NodeMove {
  readonly environment: EnvironmentId;
  readonly from: string;
  readonly to: string;
}

export interface VolumeDriver {
  readonly name: 'btrfs' | 'reflink' | 'copy' | 'simulated';
  /** What a snapshot costs, for `coppice doctor`. */
  readonly costs: string;
  readonly quota: 'enforced' | 'not enforced';
  /** Where the data lies, for people. */
  readonly place?: string;
  /** What the host lacks for a driver that can snapshot and limit; missing where it lacks nothing. */
  readonly lacks?: readonly { readonly message: string; readonly hint: string }[];
}
