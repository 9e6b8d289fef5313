import { chmod } from 'node:fs/promises';
import { copyNestedSubvolumes } from './copy-nested-subvolumes.ts';
import { deleteFolder, deleteSubvolume, isSubvolume } from './delete-subvolume.ts';
import { mustRun } from './run-program.ts';
import type { VolumeStorage } from './volume-storage.ts';

/** One program to start instead of two. Says something where there are nested subvolumes: how many is up to the application. */
const snapshotScript = 'nested=$(btrfs subvolume list -o "$1") && btrfs subvolume snapshot "$1" "$2" >/dev/null && printf %.1s "$nested"';

/** The data of a set is one subvolume, so that one snapshot is atomic over the whole environment. */
export const btrfsStorage: VolumeStorage = {
  driver: {
    name: 'btrfs',
    costs: 'a snapshot takes milliseconds and no space until something changes; nothing is paused but for the moment it is taken',
    quota: 'not enforced',
  },
  async create(path) {
    await mustRun('btrfs', ['subvolume', 'create', path]);
    await chmod(path, 0o700);
  },
  async clone({ from, to }) {
    // A snapshot commits the file system's transaction, so it is on disk when it ends.
    const nested = await mustRun('sh', ['-c', snapshotScript, 'sh', from, to]);
    if (nested !== '') await copyNestedSubvolumes({ from, to });
  },
  async delete(path) {
    if (await isSubvolume(path)) await deleteSubvolume(path);
    else await deleteFolder(path);
  },
};
