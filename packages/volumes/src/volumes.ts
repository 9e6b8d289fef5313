import type { EnvironmentId, NodeName } from '@coppice/model';

/**
 * Where mutable data lives: one set of volumes per environment (one btrfs subvolume, or a folder), each volume a folder in it.
 * Beside each set lies a marker that says whose it is. Failures are CoppiceError `volume-failed`.
 */
export interface Volumes {
  readonly driver: VolumeDriver;
  /** Creates the set and the volume where missing, owned by `user` (`uid:gid`); resolves with its path on the host. */
  ensure(volume: VolumeRef, user: string): Promise<string>;
  /** Path of a volume that exists or will; makes nothing. */
  path(volume: VolumeRef): string;
  list(): Promise<ReadonlyMap<EnvironmentId, readonly Omit<VolumeRef, 'environment'>[]>>;
  inspect(environment: EnvironmentId): Promise<readonly Omit<VolumeRef, 'environment'>[]>;
  /**
   * Makes the set of `to` an atomic copy of the set of `from` as it is at this moment: owners, modes, times, extended attributes, links, holes
   * and special files as they are; it appears whole or not at all. What is not on disk yet is not promised: the caller quiesces, syncs and
   * freezes what writes before. The drivers' costs differ, see `driver.costs`. Throws `not-found` where `from` is missing or another server's,
   * `conflict` where `to` exists, whoever's it is.
   */
  clone(sets: { readonly from: EnvironmentId; readonly to: EnvironmentId }): Promise<void>;
  /** Resolves when all that was written to the set, and to the file system that holds it, is on disk. Throws `not-found`. */
  sync(environment: EnvironmentId): Promise<void>;
  /** Deletes the whole set: only ever for the deletion of the environment. */
  removeSet(environment: EnvironmentId): Promise<void>;
  /** Bytes in use by the set. */
  usage(environment: EnvironmentId): Promise<number>;
}

export interface VolumeRef {
  readonly environment: EnvironmentId;
  readonly node: NodeName;
  /** Name within the node, see MountSpec.volume. */
  readonly volume: string;
}

export interface VolumeDriver {
  readonly name: 'btrfs' | 'reflink' | 'copy' | 'simulated';
  /** What a snapshot costs, for `coppice doctor`. */
  readonly costs: string;
  readonly quota: 'enforced' | 'not enforced';
}
