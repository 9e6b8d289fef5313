import { CoppiceError } from '@coppice/model';
import { type StorageDriver, storageDrivers } from '@coppice/volumes';

/** The driver of volumes that `COPPICE_VOLUMES` asks for; undefined where it asks for none. Throws `invalid-request` for what is no driver. */
export function wantedDriver({ COPPICE_VOLUMES: text = '' }: Readonly<Record<string, string | undefined>>): StorageDriver | undefined {
  if (text === '') return undefined;
  const found = storageDrivers.find((driver) => driver === text);
  if (found !== undefined) return found;
  throw new CoppiceError('invalid-request', `COPPICE_VOLUMES is "${text}", which is no driver of volumes`, {
    hint: `one of ${storageDrivers.join(', ')}; without it the best is taken`,
  });
}
