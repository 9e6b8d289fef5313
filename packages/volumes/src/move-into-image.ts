import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { btrfsStorage } from './btrfs-storage.ts';
import { isOnBtrfs } from './choose-storage.ts';
import { copyFolder } from './copy-folder.ts';
import { isMissing, volumeWork } from './file-failure.ts';
import { findImageMount, type ImagePlace, imageExists, makeImage, mountImage } from './image-file.ts';
import { missingParts, readHostFacts } from './missing-parts.ts';
import { mustRun } from './run-program.ts';
import { syncFolder } from './sync-folder.ts';
import { takeDownVolumeFileSystem } from './take-down-volume-file-system.ts';
import { readUsage } from './usage.ts';

const spareBytes = 512 * 1024 * 1024;

/** Where the folders lie that were moved: nobody deletes them. */
export function oldFolders({ directory }: Pick<ImagePlace, 'directory'>): string {
  return `${directory}.plain`;
}

/**
 * Moves volumes that lie in plain folders into a new image, which the next `openVolumeFileSystem` mounts; the folders are kept beside it.
 * False, and nothing done, where there is nothing to move. Nothing may have them open. Cut off at any point, a server goes on with the
 * folders or refuses to start, and the same call finishes it. Throws `volume-failed`, and `conflict` where older folders are still there.
 */
export function moveIntoImage(place: ImagePlace): Promise<boolean> {
  return volumeWork(`move ${place.directory} into an image`, async () => {
    const { directory, image } = place;
    if (!(await hasPlainFolders(place))) return false;
    if (await isThere(oldFolders(place))) {
      throw new CoppiceError('conflict', `${oldFolders(place)} is there already`, {
        hint: 'it is from a move before: delete it, then repeat',
      });
    }
    if (!(await imageExists(image))) await fillImage(place);
    await rename(directory, oldFolders(place));
    await mkdir(directory, { mode: 0o700 });
    await syncFolder(dirname(directory));
    return true;
  });
}

async function hasPlainFolders(place: ImagePlace): Promise<boolean> {
  if (!(await isThere(place.directory)) || (await findImageMount(place)) !== undefined || (await isOnBtrfs(place.directory))) return false;
  return (await readdir(place.directory)).length > 0;
}

/** What a move that was cut off leaves mounted. */
export function movingPlace({ directory, image }: ImagePlace): ImagePlace {
  return { directory: `${directory}.moving`, image: `${image}.moving` };
}

/** The image gets its name when all is in it. */
async function fillImage(place: ImagePlace): Promise<void> {
  const { directory, image } = place;
  const sizeBytes = Math.ceil((await readUsage(directory)) * 1.3) + spareBytes;
  const missing = missingParts({ ...(await readHostFacts(place)), isEmpty: true }, sizeBytes);
  if (missing.length > 0) {
    const hint = missing.map((part) => part.hint).join('; ');
    throw new CoppiceError('volume-failed', missing.map(({ message }) => message).join('; '), { hint });
  }
  const draft = movingPlace(place);
  await takeDownVolumeFileSystem(draft, 'remove-image');
  try {
    await makeImage(draft.image, sizeBytes);
    await mkdir(draft.directory, { recursive: true, mode: 0o700 });
    await mountImage(draft);
    for (const name of await readdir(directory)) await copyEntry(join(directory, name), join(draft.directory, name));
    await mustRun('sync', ['--file-system', '--', draft.directory]);
    await takeDownVolumeFileSystem(draft, 'keep-image');
    await rename(draft.image, image);
  } finally {
    await takeDownVolumeFileSystem(draft, 'remove-image');
    await rm(draft.directory, { recursive: true, force: true });
  }
  await syncFolder(dirname(image));
}

/** The data of a set becomes a subvolume; all else is copied as it is. */
async function copyEntry(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isDirectory() && (await readdir(from)).includes('data')) {
    await mkdir(to);
    await btrfsStorage.create(join(to, 'data'));
  }
  await copyFolder({ from, to }, '--sparse=always');
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
