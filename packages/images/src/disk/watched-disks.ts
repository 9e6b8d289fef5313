import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, temporaryPath } from '../store/durable-file.ts';
import type { BuildDisk, BuildDisks } from './build-disk.ts';

/** Plain folders whose usage is added up when asked: for hosts where nothing can be mounted. A build may overshoot between two looks. */
export class WatchedDisks implements BuildDisks {
  readonly bound = 'watched';
  readonly weakness: string;
  private readonly directory: string;

  constructor(directory: string, weakness: string) {
    this.directory = directory;
    this.weakness = weakness;
  }

  async scratch(capacityBytes: number): Promise<BuildDisk> {
    const path = temporaryPath(join(this.directory, 'folders'));
    return this.folder(path, capacityBytes, () => rm(path, { recursive: true, force: true }));
  }

  async cache(name: string, capacityBytes: number): Promise<BuildDisk> {
    const path = join(this.directory, 'cache', name);
    if ((await usage(path)) > capacityBytes * 0.8) await rm(path, { recursive: true, force: true });
    return this.folder(path, capacityBytes, async () => undefined);
  }

  async sweep(): Promise<void> {
    await rm(join(this.directory, 'folders'), { recursive: true, force: true });
  }

  private async folder(path: string, capacityBytes: number, close: () => Promise<void>): Promise<BuildDisk> {
    await mkdir(path, { recursive: true });
    return { path, capacityBytes, isFull: async () => (await usage(path)) >= capacityBytes, close };
  }
}

/** Bytes that the files below take on disk. What vanishes meanwhile counts nothing. */
async function usage(root: string): Promise<number> {
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

async function unlessGone<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
