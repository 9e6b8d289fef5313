import type { VolumeDriver } from './volumes.ts';

/** How the data of one set lies on a file system: what differs between the drivers. */
export interface VolumeStorage {
  readonly driver: VolumeDriver;
  /** Makes the empty folder that will hold a set's data. */
  create(path: string): Promise<void>;
  /** Deletes it with all that is in it; done already is done. */
  delete(path: string): Promise<void>;
}
