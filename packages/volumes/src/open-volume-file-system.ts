import { chmod, mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { enableQuotas, readQuotaMode } from './btrfs-quotas.ts';
import { readSpace } from './btrfs-space.ts';
import { isOnBtrfs, probeName } from './choose-storage.ts';
import { volumeWork } from './file-failure.ts';
import { decideGrowth, type Growth, type GrowthPolicy } from './growth.ts';
import {
  bypassCache,
  findImageMount,
  growImage,
  type ImagePlace,
  imageExists,
  makeImage,
  mountImage,
  refuseDeletedImage,
  spareBytes,
} from './image-file.ts';
import { findKernelFolder } from './kernel-folder.ts';
import { makeRoomForMetadata } from './metadata-room.ts';
import { failedImage, type HostFacts, hiddenMount, type MissingPart, missingParts, readHostFacts } from './missing-parts.ts';
import { takeDownVolumeFileSystem } from './take-down-volume-file-system.ts';
import type { NoVolumeFileSystem, VolumeFileSystem } from './volume-file-system.ts';

/** Where the volumes lie, and the image for a host whose own file system cannot snapshot. */
export interface VolumeFileSystemOptions extends ImagePlace {
  /** Of a new image; taken from the host at once. */
  readonly sizeBytes: number;
  readonly growth: GrowthPolicy;
  /**
   * Asked once an image was made and mounted: whether whoever gets folders in it sees them, which a container engine in another mount
   * namespace does not. Where it says no, the image goes again.
   */
  readonly isSeen?: (folder: string) => Promise<boolean>;
}

/**
 * A btrfs at the directory: its own; or the image, mounted where it is not; or a new image. Says what is missing where there can be none.
 * An image that is there and cannot be mounted is an error, never a reason to do without: its data would seem lost. So is what would be
 * hidden by a mount. Never unmounts; see `takeDownVolumeFileSystem`. Throws `volume-failed`.
 */
export function openVolumeFileSystem(options: VolumeFileSystemOptions): Promise<VolumeFileSystem | NoVolumeFileSystem> {
  const { directory, image } = options;
  return volumeWork(`open the file system of ${directory}`, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await mkdir(dirname(image), { recursive: true, mode: 0o700 });
    if (await imageExists(image)) {
      if ((await findImageMount(options)) === undefined) await mountAgain(options);
      return settle(options);
    }
    await refuseDeletedImage(directory);
    const facts = await readHostFacts(options);
    if (await isOnBtrfs(directory)) return ownFileSystem(directory, facts);
    const missing = missingParts(facts, options.sizeBytes);
    if (missing.length > 0) return { kind: 'none', missing };
    return makeNew(options);
  });
}

/** Where something fails though no part is missing, nothing is left of it, and the server does without. */
async function makeNew(options: VolumeFileSystemOptions): Promise<VolumeFileSystem | NoVolumeFileSystem> {
  const fileSystem = await makeAndMount(options).catch((error: unknown) => failedImage(error));
  if (!('part' in fileSystem)) return fileSystem;
  await takeDownVolumeFileSystem(options, 'remove-image');
  return { kind: 'none', missing: [fileSystem] };
}

async function makeAndMount(options: VolumeFileSystemOptions): Promise<VolumeFileSystem | MissingPart> {
  await makeImage(options.image, options.sizeBytes);
  await mountImage(options);
  return (await isHidden(options)) ? hiddenMount : await settle(options);
}

async function isHidden({ directory, isSeen }: VolumeFileSystemOptions): Promise<boolean> {
  if (isSeen === undefined) return false;
  const folder = join(directory, probeName());
  await mkdir(folder);
  try {
    return !(await isSeen(folder));
  } finally {
    await rmdir(folder);
  }
}

async function mountAgain(options: VolumeFileSystemOptions): Promise<void> {
  const missing = missingParts(await readHostFacts(options), 0);
  if (missing.length > 0) {
    const why = missing.map(({ message }) => message).join('; ');
    const hint = missing.map((part) => part.hint).join('; ');
    throw new CoppiceError('volume-failed', `${options.image} holds the volumes, and cannot be mounted: ${why}`, { hint });
  }
  await mountImage(options);
}

/** Brings a mounted image to what it shall be, wherever a server before was killed. */
async function settle(options: VolumeFileSystemOptions): Promise<VolumeFileSystem> {
  const { directory, image, growth } = options;
  await chmod(directory, 0o700);
  await bypassCache(image);
  const { size } = await stat(image);
  const folder = await findKernelFolder(directory);
  if ((await readSpace(directory, folder)).sizeBytes < size) await growImage(options, size);
  await makeRoomForMetadata(directory, folder);
  const quotas = await enableQuotas(directory, folder);
  const growIfNeeded = async (): Promise<Growth> => {
    const decided = decideGrowth({ space: await readSpace(directory, folder), spareBytes: await spareBytes(image), policy: growth });
    if (decided.kind === 'grown') await growImage(options, decided.toBytes);
    return decided;
  };
  return {
    kind: 'image',
    image,
    quotas,
    growIfNeeded: () => volumeWork(`enlarge ${image}`, growIfNeeded),
    space: () => volumeWork(`measure ${directory}`, () => readSpace(directory, folder)),
  };
}

async function ownFileSystem(directory: string, facts: HostFacts): Promise<VolumeFileSystem | NoVolumeFileSystem> {
  const missing = missingParts(facts, 0).filter(({ part }) => part === 'btrfs-progs');
  if (missing.length > 0) return { kind: 'none', missing };
  const folder = await findKernelFolder(directory);
  return {
    kind: 'own',
    image: '',
    quotas: await readQuotaMode(folder),
    growIfNeeded: async () => ({ kind: 'blocked', by: 'not an image' }),
    space: () => volumeWork(`measure ${directory}`, () => readSpace(directory, folder)),
  };
}
