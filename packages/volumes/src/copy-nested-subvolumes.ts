import { lstat, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { copyFolder } from './copy-folder.ts';
import { mustRun, runProgram } from './run-program.ts';
import type { ClonePaths } from './volume-storage.ts';

/** The inode number of the empty folder that stands in a snapshot for a subvolume in its source. */
const placeholderInode = 2;

/**
 * Fills what a snapshot left empty: subvolumes in its source become plain folders, whose files share blocks with the source's. Takes time by the
 * number of files, and leaves the copy without a limit. Nothing may write to the source. Throws `volume-failed`.
 */
export async function copyNestedSubvolumes({ from, to }: ClonePaths): Promise<void> {
  // A subvolume does not count towards the limit of the one that it lies in, but the folder does that is made of it. Fails without quotas.
  await runProgram('btrfs', ['qgroup', 'limit', 'none', to]);
  await fillPlaceholders({ from, to }, join(to, '.copying'));
  await copyTimes({ from, to });
  await mustRun('sync', ['--file-system', '--', to]);
}

/** In `draft` nothing is inherited from a folder of the application's: `cp` lets a set-group-ID bit stay. */
async function fillPlaceholders({ from, to }: ClonePaths, draft: string): Promise<void> {
  let isChanged = false;
  for (const entry of await readdir(to, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const inner = { from: join(from, entry.name), to: join(to, entry.name) };
    if ((await lstat(inner.to)).ino !== placeholderInode) {
      await fillPlaceholders(inner, draft);
      continue;
    }
    isChanged = true;
    await copyFolder({ from: inner.from, to: draft }, '--reflink=auto');
    await rmdir(inner.to);
    await rename(draft, inner.to);
  }
  if (isChanged) await copyTimes({ from, to });
}

/** Node counts times in fractions, which would lose nanoseconds. */
async function copyTimes({ from, to }: ClonePaths): Promise<void> {
  await mustRun('touch', ['--no-create', `--reference=${from}`, '--', to]);
}
