import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { isErrno } from '../store/durable-file.ts';
import { compareBytes } from './byte-order.ts';

/** One thing that lies in a folder of the host. Links are seen, never followed. */
export interface FolderItem {
  /** Relative to the folder walked, with `/`. */
  readonly path: string;
  readonly kind: 'folder' | 'file' | 'symlink';
  readonly executable: boolean;
  readonly size: number;
  /** Changes whenever content, mode or identity do; folders have none, since what is in them tells. */
  readonly fingerprint: string;
}

const parallelStats = 64;

/**
 * Everything below `root`, sorted by the bytes of the paths. Sockets, pipes and devices are left out, since no image can hold them.
 * Throws `build-failed` for a name that is not UTF-8.
 */
export async function walkFolder(root: string): Promise<readonly FolderItem[]> {
  const items: FolderItem[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const prefix = folder === '' ? '' : `${folder}/`;
    const names = await readdir(join(root, folder));
    for (let from = 0; from < names.length; from += parallelStats) {
      const found = await Promise.all(names.slice(from, from + parallelStats).map((name) => inspect(root, `${prefix}${name}`)));
      for (const item of found) {
        if (!item) continue;
        items.push(item);
        if (item.kind === 'folder') folders.push(item.path);
      }
    }
  }
  return items.sort((a, b) => compareBytes(a.path, b.path));
}

/** Where the link at `path` leads. */
export function linkTargetOf(root: string, path: string): Promise<string> {
  return readlink(join(root, path));
}

async function inspect(root: string, path: string): Promise<FolderItem | undefined> {
  const stats = await lstat(join(root, path), { bigint: true }).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT') && path.includes('\ufffd')) {
      throw new CoppiceError('build-failed', `${path}: file names must be UTF-8`, { cause: error });
    }
    throw error;
  });
  if (stats.isDirectory()) return { path, kind: 'folder', executable: false, size: 0, fingerprint: 'folder' };
  if (!stats.isFile() && !stats.isSymbolicLink()) return undefined;
  return {
    path,
    kind: stats.isFile() ? 'file' : 'symlink',
    executable: stats.isFile() && (stats.mode & 0o111n) !== 0n,
    size: Number(stats.size),
    fingerprint: `${stats.mode} ${stats.size} ${stats.ino} ${stats.mtimeNs} ${stats.ctimeNs}`,
  };
}
