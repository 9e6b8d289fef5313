import { mkdir } from 'node:fs/promises';
import { CoppiceError } from '@coppice/model';
import { chooseStorage, type StorageDriver, storageNamed } from './choose-storage.ts';
import { hostDisk } from './disk.ts';
import { volumeWork } from './file-failure.ts';
import { findKernelFolder } from './kernel-folder.ts';
import { SimpleLimits } from './simple-limits.ts';
import { readUsage } from './usage.ts';
import type { NoVolumeFileSystem, VolumeFileSystem } from './volume-file-system.ts';
import { VolumeSets } from './volume-sets.ts';
import type { VolumeStorage } from './volume-storage.ts';
import type { VolumeDriver, Volumes } from './volumes.ts';
import { volumesIn } from './volumes-in.ts';

/** Where the sets lie, and which server's they are. */
export interface VolumesOptions {
  /** Absolute; made where missing, mode 0700. */
  readonly directory: string;
  /** The same for the server's life; sets of any other are left alone. */
  readonly serverId: string;
  /** What `openVolumeFileSystem` gave the directory; quotas are enforced only by one that has them. */
  readonly fileSystem?: VolumeFileSystem | NoVolumeFileSystem;
  /** Instead of the best one. A directory stays with the one that it began with: `btrfs` cannot copy a set that another made. */
  readonly driver?: StorageDriver;
}

/** Volumes on a host. */
export interface HostVolumes extends Volumes {
  /** To be called every few seconds, since what copies hold changes what the limit of a set must be; cheap where nothing changed. */
  adjustLimits(): Promise<void>;
}

/**
 * The volumes in a directory of the host, with the best driver its file system allows. Finishes deletions that were cut off.
 * Throws `volume-failed`.
 */
export async function openVolumes({ directory, serverId, fileSystem, driver: wanted }: VolumesOptions): Promise<HostVolumes> {
  return volumeWork(`open the volumes in ${directory}`, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const storage = await (wanted === undefined ? chooseStorage(directory) : storageNamed(wanted, directory));
    const sets = new VolumeSets({ directory, serverId, storage, disk: hostDisk });
    await sets.sweep();
    const driver = { ...storage.driver, ...driverOn(fileSystem, { directory, storage }) };
    const volumes = volumesIn(sets, driver);
    const isSimple =
      driver.quota === 'enforced' && fileSystem !== undefined && fileSystem.kind !== 'none' && fileSystem.quotas === 'simple';
    return isSimple
      ? simplyLimited(volumes, { sets, limits: new SimpleLimits(await findKernelFolder(directory)) })
      : { ...volumes, adjustLimits: async () => undefined };
  });
}

/** Simple quotas count what a set wrote, not what it shows. */
function simplyLimited(volumes: Volumes, { sets, limits }: { readonly sets: VolumeSets; readonly limits: SimpleLimits }): HostVolumes {
  return {
    ...volumes,
    setQuota: (environment, limitBytes) =>
      volumeWork(`limit the volumes of ${environment}`, async () => {
        if ((await sets.marker(environment)) !== undefined) return limits.set(environment, sets.dataPath(environment), limitBytes);
        throw new CoppiceError('not-found', `there are no volumes of ${environment}`);
      }),
    usage: (environment) => volumeWork(`measure the volumes of ${environment}`, async () => (await sets.read(environment, readUsage)) ?? 0),
    snapshotUsage: (id) =>
      volumeWork(`measure the kept copy ${id}`, async () => ((await sets.keeps(id)) ? readUsage(sets.snapshotPath(id)) : 0)),
    adjustLimits: () => volumeWork('look after the limits of the volumes', () => limits.adjust()),
  };
}

function quotasOff(directory: string): { readonly message: string; readonly hint: string } {
  return { message: 'the quotas of the file system are off', hint: `btrfs quota enable ${directory}, then start the server again` };
}

function driverOn(
  fileSystem: VolumesOptions['fileSystem'],
  { directory, storage }: { readonly directory: string; readonly storage: VolumeStorage },
): Partial<VolumeDriver> {
  if (fileSystem === undefined) return {};
  if (fileSystem.kind === 'none') return { place: `plain folders in ${directory}`, lacks: fileSystem.missing };
  const place = fileSystem.kind === 'own' ? directory : `the image ${fileSystem.image}`;
  // A limit of a folder that is no subvolume would be one of all that is around it.
  if (storage.driver.name !== 'btrfs') return { place };
  return fileSystem.quotas === 'off' ? { place, lacks: [quotasOff(directory)] } : { place, quota: 'enforced' };
}
