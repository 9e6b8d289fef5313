import type { ImagePin } from '@coppice/model';

/** The images that steps run in at the moment. */
export class RunningImages {
  private readonly images = new Set<{ readonly image: ImagePin }>();

  /** To be called before the engine is asked for the image; what it answers ends the use. */
  add(image: ImagePin): () => Promise<void> {
    const use = { image };
    this.images.add(use);
    return async () => void this.images.delete(use);
  }

  list(): readonly ImagePin[] {
    return [...this.images].map(({ image }) => image);
  }
}
