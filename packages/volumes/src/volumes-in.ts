import { chmod, chown, lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError, type EnvironmentId } from '@coppice/model';
import { limitSubvolume } from './btrfs-quotas.ts';
import { isOccupied, volumeWork } from './file-failure.ts';
import { readUsage } from './usage.ts';
import { decodeVolumeName, nodeOfFolder, parseOwner, volumeFolder } from './volume-name.ts';
import type { VolumeSets } from './volume-sets.ts';
import type { VolumeRef, Volumes } from './volumes.ts';

/** The port over sets that lie in a directory. */
export function volumesIn(sets: VolumeSets, driver: Volumes['driver']): Volumes {
  const inspect = async (environment: EnvironmentId): Promise<readonly Omit<VolumeRef, 'environment'>[]> =>
    (await sets.holds(environment)) ? readSet(sets.dataPath(environment)) : [];
  return {
    driver,
    path: (volume) => pathOf(sets, volume).volume,
    ensure: (volume, user) => volumeWork(`make the volume ${volume.volume} of ${volume.node}`, () => ensure(sets, volume, user)),
    inspect: (environment) => volumeWork(`read the volumes of ${environment}`, () => inspect(environment)),
    list: () =>
      volumeWork('list the volumes', async () => {
        const all = new Map<EnvironmentId, readonly Omit<VolumeRef, 'environment'>[]>();
        for (const environment of await sets.list()) all.set(environment, await readSet(sets.dataPath(environment)));
        return all;
      }),
    generation: underWay,
    snapshot: underWay,
    snapshots: underWay,
    removeSnapshot: underWay,
    replace: underWay,
    setAside: underWay,
    moveNode: underWay,
    removeNode: underWay,
    snapshotUsage: underWay,
    sync: (environment) => volumeWork(`sync the volumes of ${environment}`, () => sets.sync(environment)),
    removeSet: (environment) => volumeWork(`delete the volumes of ${environment}`, () => sets.remove(environment)),
    setQuota: (environment, limitBytes) =>
      volumeWork(`limit the volumes of ${environment}`, async () => {
        if (driver.quota === 'not enforced') return;
        if (await sets.holds(environment)) return limitSubvolume(sets.dataPath(environment), limitBytes);
        throw new CoppiceError('not-found', `there are no volumes of ${environment}`);
      }),
    usage: (environment) =>
      volumeWork(`measure the volumes of ${environment}`, async () =>
        (await sets.holds(environment)) ? readUsage(sets.dataPath(environment)) : 0,
      ),
  };
}

const underWay = (): Promise<never> => Promise.reject(new CoppiceError('volume-failed', 'not possible yet'));

function pathOf(sets: VolumeSets, ref: VolumeRef): { readonly node: string; readonly volume: string } {
  const folder = volumeFolder(ref);
  const node = join(sets.dataPath(ref.environment), folder.node);
  return { node, volume: join(node, folder.volume) };
}

async function ensure(sets: VolumeSets, ref: VolumeRef, user: string): Promise<string> {
  const path = pathOf(sets, ref);
  const owner = parseOwner(user);
  await sets.ensure(ref.environment);
  await ensureFolder(path.node);
  await ensureFolder(path.volume);
  const present = await lstat(path.volume);
  // Also repairs what a crash between the two left; what is inside is the application's own.
  if (present.uid !== owner.uid || present.gid !== owner.gid) await chown(path.volume, owner.uid, owner.gid);
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

/** Sorted by node, then volume. Folders that we would not have made are not ours to speak of. */
async function readSet(data: string): Promise<readonly Omit<VolumeRef, 'environment'>[]> {
  const found: Omit<VolumeRef, 'environment'>[] = [];
  for (const name of (await readdir(data)).sort()) {
    const node = nodeOfFolder(name);
    if (node === undefined) continue;
    const volumes = (await readdir(join(data, name))).map(decodeVolumeName).filter((volume) => volume !== undefined);
    for (const volume of volumes.sort()) found.push({ node, volume });
  }
  return found;
}
