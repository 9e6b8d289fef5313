import type { ImagePlace } from '@coppice/volumes';
import type { DataDirectory } from './data-directory.ts';

/** Where the volumes of a data directory lie, and the image that is mounted there where its own file system cannot snapshot. */
export function volumePlace({ at }: Pick<DataDirectory, 'at'>): ImagePlace {
  return { directory: at('volumes'), image: at('volumes.btrfs') };
}
