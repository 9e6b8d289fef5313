import { resolve } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { moveIntoImage, oldFolders } from '@coppice/volumes';
import { openDataDirectory } from './data-directory.ts';
import { takeDown } from './take-down.ts';
import { volumePlace } from './volume-place.ts';

/**
 * Moves volumes that lie in plain folders into an image that can be snapshotted; before that it stops the server and all that it runs.
 * Throws `conflict` where there is nothing to move.
 */
export async function moveVolumes(flags: { readonly data: string }): Promise<void> {
  await takeDown(flags);
  const place = volumePlace(openDataDirectory(resolve(flags.data)));
  if (!(await moveIntoImage(place))) {
    throw new CoppiceError('conflict', `${place.directory} holds no volumes in plain folders`, {
      hint: 'coppice doctor tells where they lie',
    });
  }
  process.stdout.write(`the volumes lie in ${place.image} now; start the server, and delete ${oldFolders(place)} when all is well\n`);
}
