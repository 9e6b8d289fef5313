import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { engineSeesFolder } from '@coppice/engine';
import { isCoppiceError } from '@coppice/model';
import {
  type HostVolumes,
  type NoVolumeFileSystem,
  openVolumeFileSystem,
  openVolumes,
  type StorageDriver,
  type VolumeFileSystem,
} from '@coppice/volumes';
import type { DataDirectory } from './data-directory.ts';
import { volumePlace } from './volume-place.ts';

/** The volumes of a server, and the file system they lie on. */
export interface ServerVolumes {
  readonly volumes: HostVolumes;
  readonly fileSystem: VolumeFileSystem | NoVolumeFileSystem;
}

const mebibyte = 1024 * 1024;
const smallestImageBytes = 256 * mebibyte;
const largestNewImageBytes = 2048 * mebibyte;

const growth = { freeShare: 0.1, freeBytes: 1024 * mebibyte, maxBytes: Number.MAX_SAFE_INTEGER, hostReserveBytes: 512 * mebibyte };

/** What decides where and how the volumes lie. */
export interface VolumeWishes {
  readonly dockerHost: string | undefined;
  /** Instead of the best one; for `copy` no image is made. */
  readonly driver: StorageDriver | undefined;
}

/**
 * The volumes of a data directory on the best file system that the host can give: its own btrfs, one in an image, or plain folders.
 * Throws `volume-failed` where there is an image and it cannot be mounted, since its data would seem lost, or where a driver was asked for
 * that the file system does not allow.
 */
export async function openServerVolumes(directory: DataDirectory, { dockerHost, driver }: VolumeWishes): Promise<ServerVolumes> {
  const place = volumePlace(directory);
  const { bavail, bsize } = await statfs(directory.root);
  const fileSystem: ServerVolumes['fileSystem'] =
    driver === 'copy' && !existsSync(place.image)
      ? { kind: 'none', missing: [] }
      : await openVolumeFileSystem({
          ...place,
          sizeBytes: newImageBytes(bavail * bsize),
          growth,
          isSeen: async (folder) => await isSeen(dockerHost, folder),
        });
  const options = { directory: place.directory, serverId: directory.serverId, fileSystem, ...(driver ? { driver } : {}) };
  return { fileSystem, volumes: await openVolumes(options) };
}

/** An eighth of what the host has free, 256 MiB to 2 GiB, in whole MiB: it grows. */
export function newImageBytes(freeBytes: number): number {
  const eighth = Math.floor(freeBytes / 8 / mebibyte) * mebibyte;
  return Math.min(largestNewImageBytes, Math.max(smallestImageBytes, eighth));
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
