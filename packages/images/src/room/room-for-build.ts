import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { unlessGone } from '../disk/disk-usage.ts';

/** A folder that a build fills, and what people call it. */
export interface BuildFolder {
  readonly path: string;
  readonly name: string;
}

/** Free space of a file system that keeps names and small files apart from data, as btrfs does. */
export interface VolumeSpace {
  readonly data: { readonly freeBytes: number };
  readonly metadata: { readonly freeBytes: number };
}

/** What must be free before anything is built. */
export interface RoomNeeds {
  /** On each file system that a build fills: what a build commonly takes, and what everybody else there needs meanwhile. */
  readonly hostBytes: number;
  /** Files and folders that can still be made there, where the file system has a fixed number of them. */
  readonly hostFiles: number;
  readonly volumeDataBytes: number;
  readonly volumeMetadataBytes: number;
}

const mebibyte = 1024 ** 2;

export const defaultRoomNeeds: RoomNeeds = {
  hostBytes: 768 * mebibyte,
  hostFiles: 20_000,
  volumeDataBytes: 64 * mebibyte,
  volumeMetadataBytes: 16 * mebibyte,
};

export interface RoomOptions {
  /** Those on one file system count once. One that is missing lies where the folder above it does. */
  readonly folders: readonly BuildFolder[];
  /** Where the volumes have a file system of their own: how full it is, and how it is enlarged. */
  readonly volumes?: { space(): Promise<VolumeSpace>; growIfNeeded(): Promise<unknown> } | undefined;
  readonly needs?: Partial<RoomNeeds>;
}

/** Something there is too little of. */
export interface Shortage {
  /** What is full, for people: folder and name, or the volumes. */
  readonly where: string;
  readonly kind: 'space' | 'files' | 'metadata';
  /** Bytes; for `files` their number. */
  readonly free: number;
  readonly needed: number;
}

/** Whether there is room for one more build, and where there is not. */
export type RoomForBuild = () => Promise<{ readonly kind: 'enough' } | { readonly kind: 'short'; readonly shortages: readonly Shortage[] }>;

/** Looks at the host and the volumes each time it is asked: some milliseconds with volumes, less without. */
export function createRoomForBuild(options: RoomOptions): RoomForBuild {
  const needs = { ...defaultRoomNeeds, ...options.needs };
  return async () => {
    const found = await Promise.all([hostShortages(options.folders, needs), volumeShortages(options.volumes, needs)]);
    const shortages = found.flat();
    return shortages.length === 0 ? { kind: 'enough' } : { kind: 'short', shortages };
  };
}

/** Throws `limit-exceeded`, which says what is full, how much is free, how much is needed and what to do. */
export async function refuseWithoutRoom(roomForBuild: RoomForBuild): Promise<void> {
  const room = await roomForBuild();
  if (room.kind === 'enough') return;
  throw new CoppiceError('limit-exceeded', `nothing is built while the disk is nearly full: ${room.shortages.map(inWords).join('; ')}`, {
    hint: 'make room, then push again: coppice gc, coppice trash empty, delete branches or backups that nobody needs, or enlarge the disk',
  });
}

async function hostShortages(folders: readonly BuildFolder[], needs: RoomNeeds): Promise<readonly Shortage[]> {
  const devices = new Map<number, BuildFolder[]>();
  for (const folder of folders) {
    const { dev } = await stat(await thereOrAbove(folder.path));
    devices.set(dev, [...(devices.get(dev) ?? []), folder]);
  }
  const looks = [...devices.values()].map(async (together): Promise<readonly Shortage[]> => {
    const { bavail, bsize, files, ffree } = await statfs(await thereOrAbove(together[0]?.path ?? '/'));
    const where = together.map(({ path, name }) => `${path} (${name})`).join(' and ');
    const free = bavail * bsize;
    // file systems that make inodes as they go tell 0
    const isShortOfFiles = files > 0 && ffree < needs.hostFiles;
    return [
      ...(free < needs.hostBytes ? [{ where, kind: 'space', free, needed: needs.hostBytes } as const] : []),
      ...(isShortOfFiles ? [{ where, kind: 'files', free: ffree, needed: needs.hostFiles } as const] : []),
    ];
  });
  return (await Promise.all(looks)).flat();
}

async function thereOrAbove(path: string): Promise<string> {
  let found = path;
  while ((await unlessGone(stat(found))) === undefined) found = dirname(found);
  return found;
}

async function volumeShortages(volumes: RoomOptions['volumes'], needs: RoomNeeds): Promise<readonly Shortage[]> {
  if (!volumes) return [];
  const look = async (): Promise<readonly Shortage[]> => {
    const { data, metadata } = await volumes.space();
    return [
      { where: 'the file system of the volumes', kind: 'space', free: data.freeBytes, needed: needs.volumeDataBytes } as const,
      { where: 'the file system of the volumes', kind: 'metadata', free: metadata.freeBytes, needed: needs.volumeMetadataBytes } as const,
    ].filter(({ free, needed }) => free < needed);
  };
  const found = await look();
  if (found.length === 0) return found;
  await volumes.growIfNeeded();
  return look();
}

function inWords({ where, kind, free, needed }: Shortage): string {
  if (kind === 'files') return `${where} has room for ${free} more files, and ${needed} are needed`;
  const of = kind === 'metadata' ? ' for metadata (names and small files)' : '';
  return `${where} has ${megabytes(free)} free${of}, and ${megabytes(needed)} are needed`;
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / mebibyte)} MiB`;
}
