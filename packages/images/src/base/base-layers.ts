import type { BaseRecipe } from '@coppice/catalog';
import type { Digest } from '@coppice/model';

/** The root file system below an application or service, as layers, lowest first. */
export interface BaseLayers {
  /** Digest of the recipe, the processor and the builder's version: what enters build keys. */
  readonly key: Digest;
  readonly layers: readonly BaseLayer[];
  /** What is installed, sorted by name: answers "where is library X". */
  readonly packages: readonly InstalledPackage[];
}

/** One layer: an uncompressed tar, so that its digest is also its diff id. */
export interface BaseLayer {
  /** Path of the tar; it stays there as long as the cache folder does. */
  readonly path: string;
  readonly digest: Digest;
  /** Bytes of the tar. */
  readonly size: number;
}

/** A package of the distribution, or an npm package that was laid into the root (`source` is then `npm:<name>`). */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Name of the source package, which advisories speak of. */
  readonly source: string;
}

export interface BuildBaseOptions {
  readonly recipe: BaseRecipe;
  /** Absolute; default `/var/cache/coppice/bases`. */
  readonly cacheDirectory?: string;
  /** Who makes what is not there yet: the one that may delete it again. Nobody may where nothing is said. */
  readonly maker?: string;
  /** Progress for people, whole lines. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}
