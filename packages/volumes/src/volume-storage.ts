import type { VolumeDriver } from './volumes.ts';

/** How the data of one set lies on a file system: what differs between the drivers. */
export interface VolumeStorage {
  readonly driver: VolumeDriver;
  /** Makes the empty folder that will hold a set's data. */
  create(path: string): Promise<void>;
  /** Makes `to` a copy of such a folder, on disk when it resolves. What a failure leaves at `to` is the caller's to delete. */
  clone(paths: ClonePaths): Promise<void>;
  /** Deletes it with all that is in it; done already is done. */
  delete(path: string): Promise<void>;
}

/** Both absolute; `to` does not exist, and lies on the same file system. */
export interface ClonePaths {
  readonly from: string;
  readonly to: string;
}
