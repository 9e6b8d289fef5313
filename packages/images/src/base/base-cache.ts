import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseDigest } from '@coppice/model';
import type { BaseLayer, InstalledPackage } from './base-layers.ts';
import { tryExclusiveLock, withExclusiveLock } from './exclusive-lock.ts';
import { type RootContent, writeRootLayer } from './root-layer.ts';

/** One layer of a base that is in the cache, by the key of what it was made from. */
export interface BasePart {
  readonly layer: BaseLayer;
  /** All packages installed up to this layer; for an npm layer its own alone. */
  readonly packages: readonly InstalledPackage[];
}

/**
 * The folder that holds bases: `layers/<digest>.tar`, `parts/<key>.json`, `roots/<key>/` (unpacked lowest layers), `apt/<release>/`,
 * `locks/`, `scratch/<key>/`. A part's record is written last and renamed into place, so what it names is whole.
 */
export class BaseCache {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Folder for what is shared between builds of a release, such as package lists. */
  aptDirectory(release: string): string {
    return join(this.directory, 'apt', release);
  }

  /** Folder of the unpacked root of a lowest layer. */
  rootDirectory(key: Digest): string {
    return join(this.directory, 'roots', key.slice(7));
  }

  /** The part, or undefined where it is not there or its layer is not. */
  async find(key: Digest): Promise<BasePart | undefined> {
    const text = await readIfThere(this.#record(key));
    if (text === undefined) return undefined;
    const record = JSON.parse(text) as {
      readonly v: number;
      readonly digest: string;
      readonly size: number;
      readonly packages: InstalledPackage[];
    };
    const digest = parseDigest(record.digest);
    if (record.v !== 1 || digest === undefined) return undefined;
    const path = this.#layer(digest);
    const size = await stat(path).then(
      (stats) => stats.size,
      () => undefined,
    );
    return size === record.size ? { layer: { path, digest, size }, packages: record.packages } : undefined;
  }

  /**
   * The part, made by `make` where it is not there: once, however many ask in whatever process. `make` gets an empty folder that is removed
   * afterwards, and tells what the layer holds.
   */
  async findOrMake(
    key: Digest,
    lock: string,
    make: (scratch: string) => Promise<{ readonly content: RootContent; readonly packages: readonly InstalledPackage[] }>,
    signal: AbortSignal | undefined,
  ): Promise<BasePart> {
    const found = await this.find(key);
    if (found !== undefined) return found;
    return withExclusiveLock(
      join(this.directory, 'locks', lock),
      async () => {
        const meanwhile = await this.find(key);
        if (meanwhile !== undefined) return meanwhile;
        const scratch = join(this.directory, 'scratch', lock);
        await rm(scratch, { recursive: true, force: true });
        await mkdir(scratch, { recursive: true });
        try {
          const { content, packages } = await make(scratch);
          return await this.#keep(key, scratch, content, packages);
        } finally {
          await rm(scratch, { recursive: true, force: true });
        }
      },
      signal,
    );
  }

  /** Removes what builds that died left behind; leaves those that run alone. */
  async sweep(): Promise<void> {
    const scratch = join(this.directory, 'scratch');
    for (const lock of await readdir(scratch).catch(() => [])) {
      await tryExclusiveLock(join(this.directory, 'locks', lock), () => rm(join(scratch, lock), { recursive: true, force: true }));
    }
  }

  async #keep(key: Digest, scratch: string, content: RootContent, packages: readonly InstalledPackage[]): Promise<BasePart> {
    const packed = join(scratch, 'layer.tar');
    const { digest, size } = await writeRootLayer(content, packed);
    await mkdir(join(this.directory, 'layers'), { recursive: true });
    await mkdir(join(this.directory, 'parts'), { recursive: true });
    const path = this.#layer(digest);
    await rename(packed, path);
    const record = join(scratch, 'record.json');
    await writeFile(record, JSON.stringify({ v: 1, digest, size, packages }), { flush: true });
    await rename(record, this.#record(key));
    return { layer: { path, digest, size }, packages };
  }

  #layer(digest: Digest): string {
    return join(this.directory, 'layers', `${digest.slice(7)}.tar`);
  }

  #record(key: Digest): string {
    return join(this.directory, 'parts', `${key.slice(7)}.json`);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
