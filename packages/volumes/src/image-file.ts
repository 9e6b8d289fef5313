import { open, readFile, rename, rm, stat, statfs, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CoppiceError } from '@coppice/model';
import { isMissing } from './file-failure.ts';
import { formatBtrfs } from './format-btrfs.ts';
import { findMount, type Mount } from './mount-table.ts';
import { mustRun, runProgram } from './run-program.ts';
import { syncFolder } from './sync-folder.ts';

/** A btrfs in a sparse file, and the directory where it is to be seen. Both absolute. */
export interface ImagePlace {
  readonly directory: string;
  readonly image: string;
}

/** `nodiscard`: blocks that a discard gave back could be somebody else's when they are needed again. */
const mountOptions = ['loop', 'noatime', 'compress=no', 'nosuid', 'nodev', 'nodiscard'];
/** The kernel lets go of a loop device shortly after its last mount went. */
const detachMs = 3000;

/** Whether the file is there. */
export async function imageExists(image: string): Promise<boolean> {
  try {
    if ((await stat(image)).isFile()) return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  throw new CoppiceError('volume-failed', `${image} is in the way: it is no file`);
}

/** Makes the file with an empty btrfs in it, its blocks reserved; it appears by one rename, complete, and on disk. Throws `volume-failed`. */
export async function makeImage(image: string, sizeBytes: number): Promise<void> {
  const draft = `${image}.making`;
  await rm(draft, { force: true });
  try {
    await fillDraft(draft, sizeBytes);
    await rename(draft, image);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(image));
}

async function fillDraft(draft: string, sizeBytes: number): Promise<void> {
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.truncate(sizeBytes);
    await reserveBlocks(draft, sizeBytes);
    await formatBtrfs(draft);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The mount of the image at its directory, or undefined where nothing is mounted there. Throws `volume-failed` for any other mount. */
export async function findImageMount({ directory, image }: ImagePlace): Promise<Mount | undefined> {
  const mount = await findMount(directory);
  if (mount === undefined || (await loopDevices(image)).includes(mount.source)) return mount;
  throw new CoppiceError('volume-failed', `what is mounted at ${directory} is ${mount.source}, not ${image}`, {
    hint: 'unmount it, or move the image away if it is not needed',
  });
}

/** Throws `volume-failed` where the directory shows an image that was deleted: its data goes with the mount. */
export async function refuseDeletedImage(directory: string): Promise<void> {
  const device = /^\/dev\/(loop[0-9]+)$/.exec((await findMount(directory))?.source ?? '')?.[1];
  if (device === undefined) return;
  const file = (await readFile(`/sys/block/${device}/loop/backing_file`, 'utf8')).trim();
  if (!file.endsWith(' (deleted)')) return;
  throw new CoppiceError('volume-failed', `what is mounted at ${directory} lies in a file that was deleted: ${file}`, {
    hint: `copy the data away before you unmount it, for it is nowhere else`,
  });
}

/** Mounts the image; the loop device goes with its last mount. */
export async function mountImage({ directory, image }: ImagePlace): Promise<void> {
  await mustRun('mount', ['-t', 'btrfs', '-o', mountOptions.join(','), image, directory]);
}

/** Makes the file, the device and the file system of this size; also finishes a growth that was cut off. Never smaller. Throws `volume-failed`. */
export async function growImage({ directory, image }: ImagePlace, toBytes: number): Promise<void> {
  if ((await stat(image)).size < toBytes) {
    await reserveBlocks(image, toBytes);
    // Where the host's file system reserves nothing the file is sparse.
    if ((await stat(image)).size < toBytes) await truncate(image, toBytes);
  }
  for (const device of await loopDevices(image)) await mustRun('losetup', ['--set-capacity', device]);
  await mustRun('btrfs', ['filesystem', 'resize', 'max', directory]);
}

/**
 * Takes from the host all that the image is, so that a full host is a full image: a write that fails below a file system makes all of it
 * read-only. Does nothing where the host's file system cannot, or has them reserved. Throws `volume-failed` where there is no room.
 */
export async function reserveBlocks(image: string, bytes: number): Promise<void> {
  const { blocks } = await stat(image);
  if (blocks * 512 >= bytes) return;
  const { exitCode, stderr } = await runProgram('fallocate', ['--length', String(bytes), image]);
  if (exitCode !== 0 && !stderr.includes('not supported')) {
    throw new CoppiceError('volume-failed', `${bytes} bytes cannot be reserved for ${image}: ${stderr.trim()}`, {
      hint: 'make room on its disk',
    });
  }
}

/** Lets the image's device read and write the disk itself, not through a second cache: writing much took a third of the time. */
export async function bypassCache(image: string): Promise<void> {
  for (const device of await loopDevices(image)) {
    if ((await readFile(join('/sys/block', basename(device), 'loop/dio'), 'utf8')).trim() === '1') continue;
    // Where the host's file system cannot, it goes on as it is.
    await runProgram('losetup', ['--direct-io=on', device]);
  }
}

/** What the host's file system would have free if the image were full. */
export async function spareBytes(image: string): Promise<number> {
  const [host, file] = await Promise.all([statfs(dirname(image)), stat(image)]);
  return host.bavail * host.bsize - (file.size - file.blocks * 512);
}

/** Unmounts it where it is mounted. Resolves when nobody has the file open; throws `volume-failed` while somebody needs it. */
export async function unmountImage(place: ImagePlace): Promise<void> {
  if (!(await imageExists(place.image))) return;
  if ((await findImageMount(place)) !== undefined) await mustRun('umount', [place.directory]);
  const deadline = performance.now() + detachMs;
  for (let left = await loopDevices(place.image); left.length > 0; left = await loopDevices(place.image)) {
    if (performance.now() > deadline) {
      throw new CoppiceError('volume-failed', `${place.image} is still in use through ${left.join(', ')}`, {
        hint: 'stop the containers that have volumes in it, then repeat',
      });
    }
    await wait(50);
  }
}

/** Loop devices that show the file, mounted or not. */
async function loopDevices(image: string): Promise<readonly string[]> {
  if (!(await imageExists(image))) return [];
  const listed = await mustRun('losetup', ['--noheadings', '--output', 'NAME', '--associated', image]);
  return listed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
