import { readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { findMountHolding } from './mount-table.ts';

const known = '/sys/fs/btrfs';

/** The folder in which the kernel tells of the btrfs that holds a directory. Throws `volume-failed` where it tells nothing. */
export async function findKernelFolder(directory: string): Promise<string> {
  const mount = await findMountHolding(directory);
  // A name of the device mapper is a link to the device.
  const device = basename(mount.source.startsWith('/dev/') ? await realpath(mount.source) : mount.source);
  for (const name of await readdir(known)) {
    if (!/^[0-9a-f-]{36}$/.test(name)) continue;
    if ((await readdir(join(known, name, 'devices'))).includes(device)) return join(known, name);
  }
  throw new CoppiceError('volume-failed', `the kernel does not tell of the file system of ${directory} on ${mount.source}`, {
    hint: 'is /sys mounted?',
  });
}
