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
