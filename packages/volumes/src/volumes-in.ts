import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError, type EnvironmentId } from '@coppice/model';
import { limitSubvolume } from './btrfs-quotas.ts';
import { isOccupied, volumeWork } from './file-failure.ts';
import { readNodes } from './node-folders.ts';
import { readSubvolumeUsage } from './subvolume-usage.ts';
import { readUsage } from './usage.ts';
import { encodeVolumeName, parseOwner, volumeFolder } from './volume-name.ts';
import type { VolumeSets } from './volume-sets.ts';
import type { VolumeRef, Volumes } from './volumes.ts';

/** The port over sets that lie in a directory. */
export function volumesIn(sets: VolumeSets, driver: Volumes['driver']): Volumes {
  const inspect = async (environment: EnvironmentId): Promise<readonly Omit<VolumeRef, 'environment'>[]> =>
    (await sets.read(environment, readNodes)) ?? [];
  const isCounted = driver.quota === 'enforced';
  const held = async (data: string): Promise<number> => (isCounted ? (await readSubvolumeUsage(data)).heldBytes : readUsage(data));
  const own = async (data: string): Promise<number> => (isCounted ? (await readSubvolumeUsage(data)).ownBytes : readUsage(data));
  return {
    driver,
    path: (volume) => pathOf(sets, volume).volume,
    ensure: (volume, user) => volumeWork(`make the volume ${volume.volume} of ${volume.node}`, () => ensure(sets, volume, user)),
    inspect: (environment) => volumeWork(`read the volumes of ${environment}`, () => inspect(environment)),
    list: () =>
      volumeWork('list the volumes', async () => {
        const all = new Map<EnvironmentId, readonly Omit<VolumeRef, 'environment'>[]>();
        for (const environment of await sets.list()) all.set(environment, await inspect(environment));
        return all;
      }),
    generation: (environment) =>
      volumeWork(`read which data ${environment} holds`, async () => (await sets.marker(environment))?.generation),
    snapshot: (copy) => volumeWork(`keep a copy of the volumes of ${copy.environment}`, () => sets.snapshot(copy)),
    snapshots: () => volumeWork('list the kept copies', () => sets.snapshots()),
    removeSnapshot: (id) => volumeWork(`delete the kept copy ${id}`, () => sets.removeSnapshot(id)),
    replace: (change) => volumeWork(`replace the volumes of ${change.environment}`, () => sets.replace(change)),
    setAside: (change) => volumeWork(`set the volumes of ${change.environment} aside`, () => sets.setAside(change)),
    moveNode: (move) => volumeWork(`move the volumes of ${move.from} to ${move.to}`, () => sets.moveNode(move)),
    removeNode: (of) => volumeWork(`delete the volumes of ${of.node}`, () => sets.removeNode(of)),
    snapshotUsage: (id) => volumeWork(`measure the kept copy ${id}`, async () => ((await sets.keeps(id)) ? own(sets.snapshotPath(id)) : 0)),
    sync: (environment) => volumeWork(`sync the volumes of ${environment}`, () => sets.sync(environment)),
    removeSet: (environment) => volumeWork(`delete the volumes of ${environment}`, () => sets.remove(environment)),
    setQuota: (environment, limitBytes) =>
      volumeWork(`limit the volumes of ${environment}`, async () => {
        if (driver.quota === 'not enforced') return;
        if ((await sets.marker(environment)) !== undefined) return limitSubvolume(sets.dataPath(environment), limitBytes);
        throw new CoppiceError('not-found', `there are no volumes of ${environment}`);
      }),
    volumeUsage: (environment) =>
      volumeWork(`measure each volume of ${environment}`, async () =>
        Promise.all(
          (await inspect(environment)).map(async (ref) => ({ ...ref, bytes: await readUsage(folderOf(sets, environment, ref)) })),
        ),
      ),
    usage: (environment) => volumeWork(`measure the volumes of ${environment}`, async () => (await sets.read(environment, held)) ?? 0),
  };
}

/** Of what was put aside as well. */
function folderOf(sets: VolumeSets, environment: EnvironmentId, { node, volume }: Omit<VolumeRef, 'environment'>): string {
  return join(sets.dataPath(environment), node, encodeVolumeName(volume));
}

function pathOf(sets: VolumeSets, ref: VolumeRef): { readonly node: string; readonly volume: string } {
  const folder = volumeFolder(ref);
  const node = join(sets.dataPath(ref.environment), folder.node);
  return { node, volume: join(node, folder.volume) };
}

async function ensure(sets: VolumeSets, ref: VolumeRef, user: string): Promise<string> {
  const path = pathOf(sets, ref);
  const owner = parseOwner(user);
  await sets.ensure(ref.environment, async () => {
    await ensureFolder(path.node);
    await ensureFolder(path.volume);
    const present = await lstat(path.volume);
    // Also repairs what a crash between the two left; what is inside is the application's own.
    if (present.uid !== owner.uid || present.gid !== owner.gid) await chown(path.volume, owner.uid, owner.gid);
  });
  return path.volume;
}

async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
    await chmod(path, 0o700);
  } catch (error) {
    if (!isOccupied(error)) throw error;
    if (!(await lstat(path)).isDirectory()) throw new CoppiceError('volume-failed', `${path} is in the way: it is no folder`);
  }
}
