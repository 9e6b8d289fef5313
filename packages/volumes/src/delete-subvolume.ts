import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './file-failure.ts';
import { mustRun, runProgram } from './run-program.ts';

/** Every subvolume's root has this inode number, and nothing else on btrfs has. */
const subvolumeInode = 256;

/** Whether there is a subvolume at the path. */
export async function isSubvolume(path: string): Promise<boolean> {
  try {
    return (await stat(path)).ino === subvolumeInode;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * Deletes a subvolume with all that is in it. Any user may make subvolumes in a folder of theirs, read-only ones too, and none with another
 * inside can be deleted: those inside go first. They are found by walking, since their names, which `btrfs subvolume list` shows as they
 * are, may hold line breaks and look like others' entries. Nothing may write there any more. Throws `volume-failed`.
 */
export async function deleteSubvolume(path: string): Promise<void> {
  const remove = ['subvolume', 'delete', '--commit-after', path];
  if ((await runProgram('btrfs', remove)).exitCode === 0) return;
  await deleteNested(path);
  await mustRun('btrfs', remove);
}

/** Deletes a folder with all that is in it, subvolumes included; done already is done. Nothing may write there any more. Throws `volume-failed`. */
export async function deleteFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await deleteNested(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function deleteNested(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    // A link is no directory here, wherever it leads.
    if (!entry.isDirectory()) continue;
    const inner = join(path, entry.name);
    const isNested = await isSubvolume(inner);
    if (isNested) await mustRun('btrfs', ['property', 'set', '-f', '-t', 'subvol', inner, 'ro', 'false']);
    await deleteNested(inner);
    if (isNested) await mustRun('btrfs', ['subvolume', 'delete', inner]);
  }
}
