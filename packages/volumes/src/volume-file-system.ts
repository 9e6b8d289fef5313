import type { FileSystemSpace } from './btrfs-space.ts';
import type { Growth } from './growth.ts';
import type { MissingPart } from './missing-parts.ts';

/** The file system that holds the volumes, one that can snapshot. Failures are CoppiceError `volume-failed`. */
export interface VolumeFileSystem {
  /** The directory's own, which nothing here changes but the quotas of sets; or ours, in an image file behind a loop device. */
  readonly kind: 'own' | 'image';
  /** Path of the image; empty for the directory's own. */
  readonly image: string;
  /** Simple quotas count what a set wrote itself, full ones all that it shows; `off` only where the file system is not ours. */
  readonly quotas: QuotaMode;
  space(): Promise<FileSystemSpace>;
  /** Enlarges the image while it is in use, where too little is free. Cheap to ask often: a program is started only to grow. */
  growIfNeeded(): Promise<Growth>;
}

/** Where the host cannot have such a file system: all that is missing. The volumes then lie in plain folders. */
export interface NoVolumeFileSystem {
  readonly kind: 'none';
  readonly missing: readonly MissingPart[];
}

export type QuotaMode = 'simple' | 'full' | 'off';
