import { mkdir } from 'node:fs/promises';
import { chooseStorage, type StorageDriver, storageNamed } from './choose-storage.ts';
import { hostDisk } from './disk.ts';
import { volumeWork } from './file-failure.ts';
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

/**
 * The volumes in a directory of the host, with the best driver its file system allows. Finishes deletions that were cut off.
 * Throws `volume-failed`.
 */
export async function openVolumes({ directory, serverId, fileSystem, driver: wanted }: VolumesOptions): Promise<Volumes> {
  return volumeWork(`open the volumes in ${directory}`, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const storage = await (wanted === undefined ? chooseStorage(directory) : storageNamed(wanted, directory));
    const sets = new VolumeSets({ directory, serverId, storage, disk: hostDisk });
    await sets.sweep();
    const driver = { ...storage.driver, ...driverOn(fileSystem, { directory, storage }) };
    return volumesIn(sets, driver);
  });
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
