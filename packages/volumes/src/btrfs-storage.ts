import { chmod, rm } from 'node:fs/promises';
import { CoppiceError } from '@coppice/model';
import { deleteSubvolume, isSubvolume } from './delete-subvolume.ts';
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
    await refuseNested(from);
    // Commits the file system's transaction, so it is on disk when it ends.
    await mustRun('btrfs', ['subvolume', 'snapshot', from, to]);
  },
  async delete(path) {
    if (await isSubvolume(path)) await deleteSubvolume(path);
    else await rm(path, { recursive: true, force: true });
  },
};

/** A nested subvolume is an empty folder in the snapshot of its parent: such a copy would lack data and look whole. */
async function refuseNested(path: string): Promise<void> {
  const nested = (await mustRun('btrfs', ['subvolume', 'list', '-o', path])).split('\n').filter((line) => line !== '');
  if (nested.length === 0) return;
  throw new CoppiceError('volume-failed', `${path} holds ${nested.length} nested subvolumes, which a snapshot would leave empty`, {
    hint: `btrfs subvolume list -o ${path} shows them: make folders of them`,
  });
}
