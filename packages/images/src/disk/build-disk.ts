import type { Leftover } from '../store/oci-store.ts';

/** A folder of the host that a build may fill, and what bounds it. */
export interface BuildDisk {
  /** Where it lies on the host. */
  readonly path: string;
  /** Bytes it may hold. */
  readonly capacityBytes: number;
  /** Whether it holds all it may (bytes or files). */
  isFull(): Promise<boolean>;
  /** Gives it back. What was in a scratch disk is gone afterwards. */
  close(): Promise<void>;
}

/** A package cache that is kept between builds. */
export interface KeptCache {
  /** `PROJECT/TYPE`. */
  readonly name: string;
  /** What it takes of the host's disk. */
  readonly bytes: number;
  /** Whether a build holds it. */
  readonly isHeld: boolean;
}

/** Makes such folders. Failures to give one are CoppiceError `build-limit` (no room on the host) or `internal`. */
export interface BuildDisks {
  /** `enforced`: by a file system of its own; `watched`: usage is looked at, and a build that goes beyond is ended. */
  readonly bound: 'enforced' | 'watched';
  /** Why the bound is only `watched`, for people. */
  readonly weakness: string | undefined;
  /** An empty disk that lives until it is closed. */
  scratch(capacityBytes: number): Promise<BuildDisk>;
  /** The disk of that name, which keeps its content; two builds may hold it at once. Emptied when it is nearly full. */
  cache(name: string, capacityBytes: number): Promise<BuildDisk>;
  /** Removes what a server that died left mounted or lying about. Before any disk was given. */
  sweep(): Promise<void>;
  /** All caches there are, held or not, sorted by name. */
  caches(): Promise<readonly KeptCache[]>;
  /** Deletes a cache, unless a build holds it. Answers whether it is gone. */
  removeCache(name: string): Promise<boolean>;
  /** Scratch disks that no build holds: giving one back failed. */
  leftovers(): Promise<readonly Leftover[]>;
  /** Deletes one of them by its name, where it still is one. Answers whether it is gone. */
  removeLeftover(name: string): Promise<boolean>;
}
