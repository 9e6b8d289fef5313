import { chmod } from 'node:fs/promises';
import { copyNestedSubvolumes, hasNestedSubvolumes } from './copy-nested-subvolumes.ts';
import { deleteFolder, deleteSubvolume, isSubvolume } from './delete-subvolume.ts';
import { mustRun } from './run-program.ts';
import type { VolumeStorage } from './volume-storage.ts';

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
    const snapshot = ['subvolume', 'snapshot', from, to];
    const [made, nested] = await Promise.allSettled([mustRun('btrfs', snapshot), hasNestedSubvolumes(from)]);
    if (made.status === 'rejected') throw made.reason;
    if (nested.status === 'rejected') throw nested.reason;
    if (nested.value) await copyNestedSubvolumes({ from, to });
  },
  async delete(path) {
    if (await isSubvolume(path)) await deleteSubvolume(path);
    else await deleteFolder(path);
  },
};
