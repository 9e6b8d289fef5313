import type { BaseRecipe } from '@coppice/catalog';
import type { Digest } from '@coppice/model';
import { BaseCache } from '../base/base-cache.ts';
import type { BaseLayers, BuildBaseOptions } from '../base/index.ts';
import type { Blob } from '../store/image-manifest.ts';
import type { OciStore } from '../store/oci-store.ts';
import type { Slots } from './slots.ts';

/** Makes the layers of a base, or finds them in the cache that servers share. */
export type BuildBase = (options: BuildBaseOptions) => Promise<BaseLayers>;

export interface BaseImages {
  readonly store: OciStore;
  readonly slots: Slots;
  readonly buildBase: BuildBase;
  readonly cacheDirectory: string;
  /** Stands in what is made for the first time, and says who may delete it. */
  readonly maker: string;
}

/** The layers of a base in our store, bottom first; made and taken in where they are not there yet. */
export async function obtainBase(
  images: BaseImages,
  base: { readonly key: Digest; readonly recipe: BaseRecipe },
  options: { readonly onProgress: (line: string) => void; readonly signal: AbortSignal },
): Promise<readonly Blob[]> {
  const { store, slots, buildBase, cacheDirectory, maker } = images;
  const there = await store.lookup('base', base.key);
  if (there) return there.layers;
  const take = async (): Promise<readonly Blob[]> => {
    const made = await buildBase({ recipe: base.recipe, cacheDirectory, maker, ...options });
    const layers = made.layers.map(({ digest, size }) => ({ digest, size }));
    for (const layer of made.layers) await store.adoptBlob(layer.path, { digest: layer.digest, size: layer.size });
    const packages = made.packages.map(({ name, version, source }) => ({ name, version, source }));
    await store.record('base', base.key, { v: 1, layers, packages });
    return layers;
  };
  return slots.use(options.signal, () => new BaseCache(cacheDirectory).whileStaying(take, options.signal));
}
