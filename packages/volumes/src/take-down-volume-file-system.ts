import { rm } from 'node:fs/promises';
import { volumeWork } from './file-failure.ts';
import { type ImagePlace, unmountImage } from './image-file.ts';

/**
 * Unmounts the image and detaches its loop device; done already is done. The file is kept, or removed with all the data in it, but
 * never while somebody has it open. Throws `volume-failed` while it is in use, and leaves any other mount alone.
 */
export function takeDownVolumeFileSystem(place: ImagePlace, fate: 'keep-image' | 'remove-image'): Promise<void> {
  return volumeWork(`take down ${place.directory}`, async () => {
    await unmountImage(place);
    if (fate === 'remove-image') await rm(place.image, { force: true });
  });
}
