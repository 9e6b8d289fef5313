import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { temporaryPath } from '../store/durable-file.ts';
import type { Leftover } from '../store/oci-store.ts';
import type { BuildDisk, BuildDisks, KeptCache } from './build-disk.ts';
import { CacheFolder } from './cache-folder.ts';
import { diskUsage, unlessGone } from './disk-usage.ts';

/** Plain folders whose usage is added up when asked: for hosts where nothing can be mounted. A build may overshoot between two looks. */
export class WatchedDisks implements BuildDisks {
  readonly bound = 'watched';
  readonly weakness: string;
  private readonly scratchFolder: string;
  private readonly cacheFolder: CacheFolder;
  /** How many builds hold a cache, by its name. */
  private readonly holders = new Map<string, number>();
  /** Names of the scratch folders in use. */
  private readonly inUse = new Set<string>();

  constructor(directory: string, weakness: string) {
    this.weakness = weakness;
    this.scratchFolder = join(directory, 'folders');
    this.cacheFolder = new CacheFolder({ directory: join(directory, 'cache'), ending: '', held: this.holders });
  }

  async scratch(capacityBytes: number): Promise<BuildDisk> {
    const path = temporaryPath(this.scratchFolder);
    this.inUse.add(basename(path));
    const close = async (): Promise<void> => {
      try {
        await rm(path, { recursive: true, force: true });
      } finally {
        this.inUse.delete(basename(path));
      }
    };
    return this.folder(path, capacityBytes, close);
  }

  async cache(name: string, capacityBytes: number): Promise<BuildDisk> {
    const path = this.cacheFolder.path(name);
    this.holders.set(name, (this.holders.get(name) ?? 0) + 1);
    const close = async (): Promise<void> => {
      const left = (this.holders.get(name) ?? 1) - 1;
      if (left > 0) this.holders.set(name, left);
      else this.holders.delete(name);
    };
    try {
      if ((await diskUsage(path)) > capacityBytes * 0.8) await rm(path, { recursive: true, force: true });
      return await this.folder(path, capacityBytes, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  async sweep(): Promise<void> {
    await rm(this.scratchFolder, { recursive: true, force: true });
  }

  caches(): Promise<readonly KeptCache[]> {
    return this.cacheFolder.list();
  }

  removeCache(name: string): Promise<boolean> {
    return this.cacheFolder.remove(name, this.scratchFolder);
  }

  async leftovers(): Promise<readonly Leftover[]> {
    const names = ((await unlessGone(readdir(this.scratchFolder))) ?? []).filter((name) => !this.inUse.has(name));
    return Promise.all(names.map(async (name) => ({ name, bytes: await diskUsage(join(this.scratchFolder, name)) })));
  }

  async removeLeftover(name: string): Promise<boolean> {
    if (!(await this.leftovers()).some((leftover) => leftover.name === name)) return !this.inUse.has(name);
    await rm(join(this.scratchFolder, name), { recursive: true, force: true });
    return true;
  }

  private async folder(path: string, capacityBytes: number, close: () => Promise<void>): Promise<BuildDisk> {
    await mkdir(path, { recursive: true });
    return { path, capacityBytes, isFull: async () => (await diskUsage(path)) >= capacityBytes, close };
  }
}
