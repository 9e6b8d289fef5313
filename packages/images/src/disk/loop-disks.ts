import { mkdir, open, readdir, readFile, rename, rm, rmdir, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { temporaryPath } from '../store/durable-file.ts';
import type { Leftover } from '../store/oci-store.ts';
import type { BuildDisk, BuildDisks, KeptCache } from './build-disk.ts';
import { CacheFolder } from './cache-folder.ts';
import { diskUsage } from './disk-usage.ts';
import { hostCommand } from './host-command.ts';

/** A cache fuller than this is emptied before the next build: a package manager cannot make room itself. */
const fullestCache = 0.8;
/** Some programs stop a little before the end, so "full" starts where less than this is free. */
const reserveBytes = 1024 * 1024;

interface OpenCache {
  readonly disk: Promise<BuildDisk>;
  holders: number;
  /** Settles when the last holder has given it back: a file must never be mounted twice at once. */
  closing: Promise<void> | undefined;
}

/**
 * Disks that are sparse files with an ext4 of their own, mounted by loop: their size is a wall that no build gets through. Making one
 * takes about 20 ms. The mounts lie below `directory`, where a sweep finds them after a SIGKILL.
 */
export class LoopDisks implements BuildDisks {
  readonly bound = 'enforced';
  readonly weakness = undefined;
  private readonly directory: string;
  private readonly openCaches = new Map<string, OpenCache>();
  private readonly cacheFolder: CacheFolder;
  /** Names in `scratch` of what is being made or used. */
  private readonly inUse = new Set<string>();

  constructor(directory: string) {
    this.directory = directory;
    this.cacheFolder = new CacheFolder({ directory: join(directory, 'cache'), ending: '.ext4', held: this.openCaches });
  }

  async scratch(capacityBytes: number): Promise<BuildDisk> {
    const file = temporaryPath(await this.folder('scratch'));
    this.inUse.add(basename(file));
    try {
      await format(file, capacityBytes, ['-O', '^has_journal']);
      // nothing of a scratch disk outlives it, so it need not be flushed
      const disk = await this.mount(file, capacityBytes, 'nobarrier');
      return { ...disk, close: async () => await this.discard(file, disk.close) };
    } catch (error) {
      await this.discard(file, async () => undefined);
      throw error;
    }
  }

  caches(): Promise<readonly KeptCache[]> {
    return this.cacheFolder.list();
  }

  async removeCache(name: string): Promise<boolean> {
    return this.cacheFolder.remove(name, join(this.directory, 'scratch'));
  }

  async leftovers(): Promise<readonly Leftover[]> {
    const folder = await this.folder('scratch');
    const names = (await readdir(folder)).filter((name) => !this.inUse.has(name));
    return Promise.all(names.map(async (name) => ({ name, bytes: await diskUsage(join(folder, name)) })));
  }

  async removeLeftover(name: string): Promise<boolean> {
    if (!(await this.leftovers()).some((leftover) => leftover.name === name)) return !this.inUse.has(name);
    await rm(join(await this.folder('scratch'), name), { recursive: true, force: true });
    return true;
  }

  async cache(name: string, capacityBytes: number): Promise<BuildDisk> {
    for (let closing = this.openCaches.get(name)?.closing; closing; closing = this.openCaches.get(name)?.closing) await closing;
    const shared = this.openCaches.get(name) ?? { disk: this.openCache(name, capacityBytes), holders: 0, closing: undefined };
    this.openCaches.set(name, shared);
    shared.holders += 1;
    try {
      const disk = await shared.disk;
      return { ...disk, close: () => this.release(name, shared) };
    } catch (error) {
      this.openCaches.delete(name);
      throw error;
    }
  }

  async sweep(): Promise<void> {
    const mounts = join(this.directory, 'mounts');
    const table = await readFile('/proc/self/mountinfo', 'utf8');
    for (const line of table.split('\n')) {
      // the kernel writes blanks and backslashes of a path as octal
      const path = (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      if (path.startsWith(`${mounts}/`)) await hostCommand('umount', ['--lazy', path]);
    }
    // a mount point that is busy stays: deleting below it would delete what is mounted
    await rm(join(this.directory, 'scratch'), { recursive: true, force: true });
    await this.folder('scratch');
    await hostCommand('find', [await this.folder('mounts'), '-mindepth', '1', '-maxdepth', '1', '-type', 'd', '-empty', '-delete']);
  }

  private async openCache(name: string, capacityBytes: number): Promise<BuildDisk> {
    await this.folder('cache');
    const file = this.cacheFolder.path(name);
    await mkdir(dirname(file), { recursive: true });
    const kept = await this.mountKept(file, capacityBytes);
    if (kept) return kept;
    const fresh = temporaryPath(await this.folder('scratch'));
    this.inUse.add(basename(fresh));
    try {
      await format(fresh, capacityBytes, []);
      await rename(fresh, file);
    } finally {
      await this.discard(fresh, async () => undefined);
    }
    return this.mount(file, capacityBytes, 'noatime');
  }

  /** A file of `scratch` whose use ends: deleted if that works, and nobody's from then on. */
  private async discard(file: string, close: () => Promise<void>): Promise<void> {
    try {
      await close();
      await rm(file, { force: true });
    } finally {
      this.inUse.delete(basename(file));
    }
  }

  /** The cache as it was left; undefined where there is none, or it is nearly full, or broken: it can be filled anew. */
  private async mountKept(file: string, capacityBytes: number): Promise<BuildDisk | undefined> {
    let disk: BuildDisk;
    try {
      disk = await this.mount(file, capacityBytes, 'noatime');
    } catch {
      await rm(file, { force: true });
      return undefined;
    }
    const { bfree, blocks } = await statfs(disk.path);
    if (bfree > blocks * (1 - fullestCache)) return disk;
    await disk.close();
    await rm(file, { force: true });
    return undefined;
  }

  private async release(name: string, shared: OpenCache): Promise<void> {
    shared.holders -= 1;
    if (shared.holders > 0) return;
    const forget = (): void => void this.openCaches.delete(name);
    shared.closing = shared.disk.then((disk) => disk.close()).finally(forget);
    await shared.closing;
  }

  private async mount(file: string, capacityBytes: number, options: string): Promise<BuildDisk> {
    const path = temporaryPath(await this.folder('mounts'));
    await mkdir(path);
    try {
      await hostCommand('mount', ['-t', 'ext4', '-o', `loop,nosuid,nodev,noatime,${options}`, file, path]);
    } catch (error) {
      await rmdir(path);
      throw error;
    }
    return {
      path,
      capacityBytes,
      isFull: async () => {
        const { bavail, bsize, ffree } = await statfs(path);
        return bavail * bsize < reserveBytes || ffree < 16;
      },
      close: async () => {
        await unmount(path);
        await rmdir(path);
      },
    };
  }

  private async folder(name: string): Promise<string> {
    const path = join(this.directory, name);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }
}

async function format(file: string, capacityBytes: number, options: readonly string[]): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.truncate(capacityBytes);
  } finally {
    await handle.close();
  }
  const lazy = ['-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', '-m', '0', '-i', '8192'];
  await hostCommand('mkfs.ext4', ['-q', '-F', ...lazy, ...options, file]);
}

async function unmount(path: string): Promise<void> {
  try {
    await hostCommand('umount', [path]);
  } catch {
    // somebody still looks at it (a container on its way out): it goes away with them
    await hostCommand('umount', ['--lazy', path]);
  }
}
