import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { syncFolder } from './sync-folder.ts';

/** What the sets of volumes do to a file system beside their storage: each call is one effect, whole or not at all but for `remove`. */
export interface Disk {
  /** Closed to all but its owner. */
  makeFolder(path: string): Promise<void>;
  /** A new file, on disk when it resolves. */
  writeFile(path: string, text: string): Promise<void>;
  /** Replaces a file, or a folder that is empty; fails with ENOTEMPTY or EEXIST on one that is not. */
  rename(from: string, to: string): Promise<void>;
  /** A symbolic link, which need not lead anywhere. */
  link(path: string, target: string): Promise<void>;
  /** Removes a link or a file; done already is done. */
  unlink(path: string): Promise<void>;
  /** With all that is in it; done already is done. */
  remove(path: string): Promise<void>;
  /** Resolves when what was made and renamed in the folder is on disk. */
  syncFolder(path: string): Promise<void>;
}

/** The file system of the host. */
export const hostDisk: Disk = {
  makeFolder: async (path) => void (await mkdir(path, { mode: 0o700 })),
  writeFile: (path, text) => writeFile(path, text, { mode: 0o600, flush: true }),
  rename,
  link: (path, target) => symlink(target, path),
  unlink: (path) => rm(path, { force: true }),
  remove: (path) => rm(path, { recursive: true, force: true }),
  syncFolder,
};
