import { mkdir } from 'node:fs/promises';
import { chooseStorage } from './choose-storage.ts';
import { hostDisk } from './disk.ts';
import { volumeWork } from './file-failure.ts';
import type { NoVolumeFileSystem, VolumeFileSystem } from './volume-file-system.ts';
import { VolumeSets } from './volume-sets.ts';
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
}

/**
 * The volumes in a directory of the host, with the best driver its file system allows. Finishes deletions that were cut off.
 * Throws `volume-failed`.
 */
export async function openVolumes({ directory, serverId, fileSystem }: VolumesOptions): Promise<Volumes> {
  return volumeWork(`open the volumes in ${directory}`, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const storage = await chooseStorage(directory);
    const sets = new VolumeSets({ directory, serverId, storage, disk: hostDisk });
    await sets.sweep();
    const driver = { ...storage.driver, ...driverOn(fileSystem, directory) };
    return volumesIn(sets, driver);
  });
}

function quotasOff(directory: string): { readonly message: string; readonly hint: string } {
  return { message: 'the quotas of the file system are off', hint: `btrfs quota enable ${directory}, then start the server again` };
}

function driverOn(fileSystem: VolumesOptions['fileSystem'], directory: string): Partial<VolumeDriver> {
  if (fileSystem === undefined) return {};
  if (fileSystem.kind === 'none') return { place: `plain folders in ${directory}`, lacks: fileSystem.missing };
  const place = fileSystem.kind === 'own' ? directory : `the image ${fileSystem.image}`;
  return fileSystem.quotas === 'off' ? { place, lacks: [quotasOff(directory)] } : { place, quota: 'enforced' };
}
