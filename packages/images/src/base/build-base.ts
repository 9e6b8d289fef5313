import type { BaseRecipe } from '@coppice/catalog';
import { type Digest, digestOf } from '@coppice/model';
import { BaseCache } from './base-cache.ts';
import type { BaseLayers, BuildBaseOptions } from './base-layers.ts';
import { minimalRoot } from './minimal-root.ts';
import { npmLayer, npmLayerKey } from './npm-layer.ts';
import { packageLayer, packageLayerKey } from './package-layer.ts';

/** Where bases are kept unless told otherwise; shared by all servers of a machine. */
export const defaultBaseDirectory = '/var/cache/coppice/bases';

/** What identifies the content of a base: equal recipes on equal machines have equal keys. */
export function baseKey(recipe: BaseRecipe): Digest {
  return digestOf({ v: 1, packages: packageLayerKey(recipe), npm: recipe.npm.map(npmLayerKey) });
}

/**
 * The layers of a base, built where they are not in the cache: the release's minimal root, what the recipe's packages and commands
 * add, and one layer per npm package. Needs root and the machine's network. Each layer is built once, however many ask in whatever
 * process; a build that is killed leaves nothing mounted and nothing half done.
 *
 * Errors: `base-failed` with the last lines of the tool that failed, `missing-tool`, `cancelled`.
 */
export async function buildBase(options: BuildBaseOptions): Promise<BaseLayers> {
  const { recipe, signal } = options;
  const cache = new BaseCache(options.cacheDirectory ?? defaultBaseDirectory, options.maker);
  const progress = options.onProgress ?? (() => undefined);

  const system = async () => {
    const minimal = await minimalRoot(cache, recipe.debian, progress, signal);
    return { minimal, added: await packageLayer(cache, recipe, minimal, progress, signal) };
  };
  const [{ minimal, added }, ...npm] = await Promise.all([system(), ...recipe.npm.map((one) => npmLayer(cache, one, progress, signal))]);
  return {
    key: baseKey(recipe),
    layers: [minimal, added, ...npm].map((part) => part.layer),
    packages: [...added.packages, ...npm.flatMap((part) => part.packages)].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
  };
}

/** Removes what builds that were killed left in the cache. Safe at any time. */
export async function sweepBases(cacheDirectory: string = defaultBaseDirectory): Promise<void> {
  await new BaseCache(cacheDirectory).sweep();
}
