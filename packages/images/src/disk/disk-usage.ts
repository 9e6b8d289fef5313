import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../store/durable-file.ts';

/** Bytes that a file, or the files below a folder, take on disk. What vanishes meanwhile counts nothing. */
export async function diskUsage(root: string): Promise<number> {
  const stats = await unlessGone(lstat(root));
  if (!stats?.isDirectory()) return (stats?.blocks ?? 0) * 512;
  let bytes = 0;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await unlessGone(readdir(folder, { withFileTypes: true }));
    for (const entry of entries ?? []) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      bytes += ((await unlessGone(lstat(path)))?.blocks ?? 0) * 512;
    }
  }
  return bytes;
}

/** What a look at the file system gives, or undefined where nothing is there (any more). */
export async function unlessGone<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
