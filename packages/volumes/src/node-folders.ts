import { randomUUID } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { isMissing, isOccupied } from './file-failure.ts';
import type { SetsOptions } from './owned-folders.ts';
import { decodeVolumeName, nodeFolder, nodeOfFolder } from './volume-name.ts';
import type { VolumeRef } from './volumes.ts';

/** A folder on btrfs cannot be renamed out of its subvolume, so what is deleted of a set is set aside in it. */
const deletingPrefix = '.deleting-';

/** The volumes of a set by node, then name. Folders that we would not have made are not ours to speak of. */
export async function readNodes(data: string): Promise<readonly Omit<VolumeRef, 'environment'>[]> {
  const found: Omit<VolumeRef, 'environment'>[] = [];
  for (const name of (await readdir(data)).sort()) {
    const node = nodeOfFolder(name);
    if (node === undefined) continue;
    for (const volume of await readNode(join(data, name))) found.push({ node, volume });
  }
  return found;
}

/** See Volumes.moveNode. A folder without volumes, which a cut-off leaves, is in nobody's way. */
export async function moveNodeFolder(
  { disk }: SetsOptions,
  data: string,
  move: { readonly from: string; readonly to: string },
): Promise<void> {
  const [from, to] = [join(data, nodeFolder(move.from)), join(data, nodeFolder(move.to))];
  if ((await isFolder(from)) && (await readNode(to)).length === 0) {
    try {
      await disk.rename(from, to);
    } catch (error) {
      if (!isOccupied(error)) throw error;
      throw new CoppiceError('volume-failed', `${to} is in the way: it holds what is no volume`, { cause: error });
    }
  }
  await disk.syncFolder(data);
}

/** See Volumes.removeNode. */
export async function removeNodeFolder({ disk, storage }: SetsOptions, data: string, node: string): Promise<void> {
  const folder = join(data, nodeFolder(node));
  if (!(await isFolder(folder))) return;
  const aside = join(data, `${deletingPrefix}${node}-${randomUUID()}`);
  await disk.rename(folder, aside);
  await disk.syncFolder(data);
  await storage.delete(aside);
}

/** Finishes deletions of nodes' folders that were cut off. */
export async function sweepNodeFolders({ storage }: SetsOptions, data: string): Promise<void> {
  for (const name of await namesIn(data)) if (name.startsWith(deletingPrefix)) await storage.delete(join(data, name));
}

/** Sorted; none where there is no folder. */
async function readNode(folder: string): Promise<readonly string[]> {
  return (await namesIn(folder)).flatMap((name) => decodeVolumeName(name) ?? []).sort();
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
