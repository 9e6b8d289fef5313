import { statfs } from 'node:fs/promises';
import { engineSeesFolder } from '@coppice/engine';
import { isCoppiceError } from '@coppice/model';
import { type NoVolumeFileSystem, openVolumeFileSystem, openVolumes, type VolumeFileSystem, type Volumes } from '@coppice/volumes';
import type { DataDirectory } from './data-directory.ts';
import { volumePlace } from './volume-place.ts';

/** The volumes of a server, and the file system they lie on. */
export interface ServerVolumes {
  readonly volumes: Volumes;
  readonly fileSystem: VolumeFileSystem | NoVolumeFileSystem;
}

const mebibyte = 1024 * 1024;
const smallestImageBytes = 256 * mebibyte;
const largestNewImageBytes = 16 * 1024 * mebibyte;

const growth = { freeShare: 0.2, maxBytes: Number.MAX_SAFE_INTEGER, hostReserveBytes: 512 * mebibyte };

/**
 * The volumes of a data directory on the best file system that the host can give: its own btrfs, one in an image, or plain folders.
 * Throws `volume-failed` where there is an image and it cannot be mounted: its data would seem lost.
 */
export async function openServerVolumes(directory: DataDirectory, dockerHost: string | undefined): Promise<ServerVolumes> {
  const place = volumePlace(directory);
  const { bavail, bsize } = await statfs(directory.root);
  const fileSystem = await openVolumeFileSystem({
    ...place,
    sizeBytes: newImageBytes(bavail * bsize),
    growth,
    isSeen: async (folder) => await isSeen(dockerHost, folder),
  });
  return { fileSystem, volumes: await openVolumes({ directory: place.directory, serverId: directory.serverId, fileSystem }) };
}

/** Half of what the host has free: the rest is for images, builds and logs. In whole MiB. */
export function newImageBytes(freeBytes: number): number {
  const half = Math.floor(freeBytes / 2 / mebibyte) * mebibyte;
  return Math.min(largestNewImageBytes, Math.max(smallestImageBytes, half));
}

/** An engine that is away is given the benefit of the doubt: it says itself what it does not see. */
async function isSeen(dockerHost: string | undefined, folder: string): Promise<boolean> {
  try {
    return await engineSeesFolder({ dockerHost, folder });
  } catch (error) {
    if (isCoppiceError(error, 'engine-unreachable')) return true;
    throw error;
  }
}
