import { randomUUID } from 'node:crypto';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { btrfsStorage } from './btrfs-storage.ts';
import { copyStorage, reflinkStorage } from './folder-storage.ts';
import { isInstalled, runProgram } from './run-program.ts';
import type { VolumeStorage } from './volume-storage.ts';

/** From the kernel's include/uapi/linux/magic.h. */
const btrfsMagic = 0x9123683e;
const probePrefix = '.probe-';

const storages = { btrfs: btrfsStorage, reflink: reflinkStorage, copy: copyStorage } as const;

/** How sets can be copied on a file system of the host. */
export type StorageDriver = keyof typeof storages;

/** All of them, the best first. */
export const storageDrivers: readonly StorageDriver[] = ['btrfs', 'reflink', 'copy'];

/** The storage of a driver. Throws `volume-failed` where the file system of the directory does not allow it. */
export async function storageNamed(driver: StorageDriver, directory: string): Promise<VolumeStorage> {
  const allowed = {
    btrfs: async () => (await isOnBtrfs(directory)) && isInstalled('btrfs'),
    reflink: () => sharesBlocks(directory),
    copy: async () => true,
  };
  if (await allowed[driver]()) return storages[driver];
  throw new CoppiceError('volume-failed', `the file system of ${directory} does not allow the driver ${driver}`, {
    hint: 'leave the driver out, and the best that it allows is taken',
  });
}

/** The best that the file system of a directory can do, found by trying. */
export async function chooseStorage(directory: string): Promise<VolumeStorage> {
  if ((await isOnBtrfs(directory)) && isInstalled('btrfs')) return btrfsStorage;
  return (await sharesBlocks(directory)) ? reflinkStorage : copyStorage;
}

/** Whether the directory lies on a btrfs. */
export async function isOnBtrfs(directory: string): Promise<boolean> {
  return (await statfs(directory)).type === btrfsMagic;
}

/** A name for a folder that a sweep removes. */
export function probeName(): string {
  return `${probePrefix}${randomUUID()}`;
}

/** Whether a folder is what a probe that was cut off left behind. */
export function isProbe(name: string): boolean {
  return name.startsWith(probePrefix);
}

async function sharesBlocks(directory: string): Promise<boolean> {
  const probe = join(directory, probeName());
  await mkdir(probe, { mode: 0o700 });
  try {
    await writeFile(join(probe, 'from'), Buffer.alloc(64 * 1024, 1));
    const { exitCode } = await runProgram('cp', ['--reflink=always', '--', join(probe, 'from'), join(probe, 'to')]);
    return exitCode === 0;
  } catch (error) {
    // No room to try: what was made already is the same for both ways, and a full disk must not keep a server from starting.
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}
