import { mkdir, rm } from 'node:fs/promises';
import type { VolumeStorage } from './volume-storage.ts';

const folder: Omit<VolumeStorage, 'driver'> = {
  create: async (path) => {
    await mkdir(path, { mode: 0o700 });
  },
  delete: (path) => rm(path, { recursive: true, force: true }),
};

/** Folders on a file system whose files can share blocks (XFS, for one). */
export const reflinkStorage: VolumeStorage = {
  ...folder,
  driver: {
    name: 'reflink',
    costs: 'a copy shares blocks and takes time by the number of files; the environment is frozen for the whole copy',
    quota: 'not enforced',
  },
};

/** Folders on any file system. */
export const copyStorage: VolumeStorage = {
  ...folder,
  driver: {
    name: 'copy',
    costs: 'a copy takes time and space by the bytes; the environment is frozen for the whole copy',
    quota: 'not enforced',
  },
};
