import type { EnvironmentId } from '@coppice/model';
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
  /** Bytes that the set may hold; a copy begins with the limit of its source. Throws `not-found` where there is no such set. */
  setQuota(environment: EnvironmentId, limitBytes: number | 'none'): Promise<void>;
  /** As of the file system's last commit: half a minute old, or as old as the last sync. Throws `not-found`. */
  quota(environment: EnvironmentId): Promise<Quota>;
}

/** Where the host cannot have such a file system: all that is missing. The volumes then lie in plain folders. */
export interface NoVolumeFileSystem {
  readonly kind: 'none';
  readonly missing: readonly MissingPart[];
}

export type QuotaMode = 'simple' | 'full' | 'off';

/** What a set holds, and may hold. */
export interface Quota {
  readonly usedBytes: number;
  readonly limitBytes: number | 'none';
}
