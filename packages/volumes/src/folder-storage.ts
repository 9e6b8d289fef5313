import { mkdir, rm } from 'node:fs/promises';
import { copyFolder } from './copy-folder.ts';
import { mustRun } from './run-program.ts';
import type { ClonePaths, VolumeStorage } from './volume-storage.ts';

const folder: Omit<VolumeStorage, 'driver' | 'clone'> = {
  create: async (path) => {
    await mkdir(path, { mode: 0o700 });
  },
  delete: (path) => rm(path, { recursive: true, force: true }),
};

async function copy(paths: ClonePaths, how: `--${string}`): Promise<void> {
  await copyFolder(paths, how);
  await mustRun('sync', ['--file-system', '--', paths.to]);
}

/** Folders on a file system whose files can share blocks (XFS, for one). */
export const reflinkStorage: VolumeStorage = {
  ...folder,
  clone: (paths) => copy(paths, '--reflink=always'),
  driver: {
    name: 'reflink',
    costs: 'a copy shares blocks and takes time by the number of files; the environment is frozen for the whole copy',
    quota: 'not enforced',
  },
};

/** Folders on any file system. */
export const copyStorage: VolumeStorage = {
  ...folder,
  clone: (paths) => copy(paths, '--sparse=always'),
  driver: {
    name: 'copy',
    costs: 'a copy takes time and space by the bytes; the environment is frozen for the whole copy',
    quota: 'not enforced',
  },
};
