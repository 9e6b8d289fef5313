import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/** The chunk for metadata that `mkfs.btrfs` makes. */
const formattedBytes = 8 * 1024 * 1024;

/**
 * Has the kernel make a chunk for metadata of its own size, a tenth of the file system up to 256 MiB, in place of the one it was formatted
 * with. Without it whoever fills the disk with data takes all that belongs to no chunk yet, and then nothing can be made, moved or copied,
 * until half a minute after there is room. Takes 30 ms of an empty file system; where it is full already it stays as it is.
 */
export async function makeRoomForMetadata(directory: string, folder: string): Promise<void> {
  const bytes = Number(await readFile(join(folder, 'allocation/metadata/total_bytes'), 'utf8'));
  if (bytes <= formattedBytes) await runProgram('btrfs', ['balance', 'start', '--force', '-m', directory]);
}
