import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { isMissing } from './file-failure.ts';

/** How full a btrfs is. Free is what could still be written: space that belongs to neither kind yet counts for both. */
export interface FileSystemSpace {
  readonly sizeBytes: number;
  readonly data: Share;
  /** Names, sizes and small files; one can be out of it while `df` shows space. */
  readonly metadata: Share;
}

export interface Share {
  readonly usedBytes: number;
  readonly freeBytes: number;
}

/** What the kernel says of one kind of chunks, in bytes; `disk` as often as it is kept. */
export interface ChunkFigures {
  readonly total: number;
  readonly disk: number;
  readonly used: number;
  /** Given away and not counted as used before the next commit. */
  readonly pending: number;
}

/** All that the kernel tells of the space of a btrfs. */
export interface SpaceFigures {
  /** As `statfs` says it: of data, were all of it data. */
  readonly sizeBytes: number;
  readonly data: ChunkFigures;
  readonly metadata: ChunkFigures;
  readonly system: ChunkFigures;
  /** What the file system needs to delete things when it is full. */
  readonly reserveBytes: number;
}

/** As of now, without starting a program; `folder` is where the kernel tells of it. Throws `volume-failed`. */
export async function readSpace(directory: string, folder: string): Promise<FileSystemSpace> {
  const { blocks, bsize } = await statfs(directory);
  const allocation = join(folder, 'allocation');
  const mixed = chunksOf(allocation, 'mixed');
  const kind = (name: string): ChunkFigures => {
    const found = chunksOf(allocation, name) ?? mixed;
    if (found === undefined)
      throw new CoppiceError('volume-failed', `the kernel does not tell the ${name} of ${directory} in ${allocation}`);
    return found;
  };
  const figures = { data: kind('data'), metadata: kind('metadata'), system: kind('system') };
  const reserveBytes = numberIn(join(allocation, 'global_rsv_size')) ?? 0;
  return spaceOf({ sizeBytes: blocks * bsize, ...figures, ...(mixed === undefined ? {} : { metadata: noChunks }), reserveBytes }, mixed);
}

const noChunks: ChunkFigures = { total: 0, disk: 0, used: 0, pending: 0 };

/** What could still be written of each kind. `mixed`: chunks that hold both. */
export function spaceOf({ sizeBytes, data, metadata, system, reserveBytes }: SpaceFigures, mixed?: ChunkFigures): FileSystemSpace {
  const unallocated = Math.max(0, sizeBytes * timesKept(data) - data.disk - metadata.disk - system.disk);
  const free = (chunks: ChunkFigures, kept: number): number =>
    Math.max(0, chunks.total - chunks.used - chunks.pending - kept) + Math.floor(unallocated / timesKept(chunks));
  return {
    sizeBytes,
    data: { usedBytes: data.used, freeBytes: free(data, 0) },
    metadata: { usedBytes: (mixed ?? metadata).used, freeBytes: free(mixed ?? metadata, reserveBytes) },
  };
}

function timesKept({ total, disk }: ChunkFigures): number {
  return total === 0 ? 1 : disk / total;
}

/** Reservations of metadata are far larger than what is written in the end. */
const pendingOf: Readonly<Record<string, readonly string[]>> = {
  data: ['bytes_reserved', 'bytes_pinned', 'bytes_readonly', 'bytes_may_use'],
  mixed: ['bytes_reserved', 'bytes_pinned', 'bytes_readonly', 'bytes_may_use'],
};

function chunksOf(allocation: string, name: string): ChunkFigures | undefined {
  const total = numberIn(join(allocation, name, 'total_bytes'));
  if (total === undefined) return undefined;
  const figure = (file: string): number => numberIn(join(allocation, name, file)) ?? 0;
  const pending = (pendingOf[name] ?? ['bytes_reserved', 'bytes_pinned', 'bytes_readonly']).map(figure);
  return { total, disk: figure('disk_total'), used: figure('bytes_used'), pending: pending.reduce((sum, each) => sum + each, 0) };
}

/** The kernel answers from memory: waiting for threads would take longer. */
function numberIn(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
