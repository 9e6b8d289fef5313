import type { Stats } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseDigest } from '@coppice/model';
import { unlessGone } from '../disk/disk-usage.ts';
import { isRecord, parseBlob, parseJson } from '../store/image-manifest.ts';
import type { BaseLayer, InstalledPackage } from './base-layers.ts';
import { tryExclusiveLock, withExclusiveLock, withSharedLock } from './file-lock.ts';
import { type RootContent, writeRootLayer } from './root-layer.ts';

/** One layer of a base that is in the cache, by the key of what it was made from. */
export interface BasePart {
  readonly layer: BaseLayer;
  /** All packages installed up to this layer; for an npm layer its own alone. */
  readonly packages: readonly InstalledPackage[];
}

interface PartRecord {
  readonly digest: Digest;
  readonly size: number;
  readonly packages: readonly InstalledPackage[];
  readonly maker: string | undefined;
}

/** A part as its record names it. */
export interface KeptPart {
  readonly key: Digest;
  readonly digest: Digest;
  /** Of the layer. */
  readonly bytes: number;
  /** Undefined where nobody said so. */
  readonly maker: string | undefined;
  /** Names that the layer's file has: one here, and one in each store on this file system that took it in; 0 where it is gone. */
  readonly links: number;
  /** Tells whether another path is the same file. */
  readonly file: Pick<Stats, 'dev' | 'ino'> | undefined;
}

/**
 * The folder that holds bases: `layers/<digest>.tar`, `parts/<key>.json`, `roots/<key>/` (unpacked lowest layers), `apt/<release>/`,
 * `locks/`, `scratch/<key>/`. A part's record is written last and renamed into place, so what it names is whole.
 */
export class BaseCache {
  readonly directory: string;
  readonly #maker: string | undefined;

  constructor(directory: string, maker?: string) {
    this.directory = directory;
    this.#maker = maker;
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
    const record = await this.#read(key);
    if (record === undefined) return undefined;
    const path = this.#layer(record.digest);
    const size = (await this.#layerStats(record.digest))?.size;
    return size === record.size ? { layer: { path, digest: record.digest, size }, packages: record.packages } : undefined;
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

  /** Runs work during which no part is deleted, in whatever process. */
  whileStaying<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withSharedLock(this.#useLock(), work, signal);
  }

  /** All parts with a record that can be read. */
  async parts(): Promise<readonly KeptPart[]> {
    const found: KeptPart[] = [];
    for (const name of (await unlessGone(readdir(join(this.directory, 'parts')))) ?? []) {
      const key = parseDigest(`sha256:${name.replace(/\.json$/, '')}`);
      const record = key && (await this.#read(key));
      if (!record) continue;
      const stats = await this.#layerStats(record.digest);
      found.push({ key, digest: record.digest, bytes: stats?.size ?? 0, maker: record.maker, links: stats?.nlink ?? 0, file: stats });
    }
    return found;
  }

  /**
   * Deletes parts with their layers and roots, asking of each once more as it is then. Answers the keys of those that are gone: none where
   * a base is being made or taken into a store.
   */
  async remove(keys: ReadonlySet<Digest>, mayGo: (part: KeptPart) => boolean): Promise<ReadonlySet<Digest>> {
    const gone = new Set<Digest>();
    await tryExclusiveLock(this.#useLock(), async () => {
      const parts = await this.parts();
      for (const part of parts) {
        if (!keys.has(part.key) || !mayGo(part)) continue;
        gone.add(part.key);
        const isShared = parts.some((other) => other.digest === part.digest && !gone.has(other.key));
        if (!isShared) await rm(this.#layer(part.digest), { force: true });
        await rm(this.rootDirectory(part.key), { recursive: true, force: true });
        // last, so that what is cut off here is found again
        await rm(this.#record(part.key), { force: true });
      }
    });
    return gone;
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
    await writeFile(record, JSON.stringify({ v: 1, digest, size, packages, maker: this.#maker }), { flush: true });
    await rename(record, this.#record(key));
    return { layer: { path, digest, size }, packages };
  }

  async #read(key: Digest): Promise<PartRecord | undefined> {
    const text = await unlessGone(readFile(this.#record(key), 'utf8'));
    if (text === undefined) return undefined;
    return parseRecord(parseJson(text));
  }

  #layerStats(digest: Digest): Promise<Stats | undefined> {
    return unlessGone(stat(this.#layer(digest)));
  }

  #useLock(): string {
    return join(this.directory, 'locks', 'in-use');
  }

  #layer(digest: Digest): string {
    return join(this.directory, 'layers', `${digest.slice(7)}.tar`);
  }

  #record(key: Digest): string {
    return join(this.directory, 'parts', `${key.slice(7)}.json`);
  }
}

/** What this file wrote; undefined for anything else, so that it is made again. */
function parseRecord(value: unknown): PartRecord | undefined {
  if (!isRecord(value) || value['v'] !== 1 || !Array.isArray(value['packages'])) return undefined;
  const layer = parseBlob(value);
  const maker = typeof value['maker'] === 'string' ? value['maker'] : undefined;
  return layer && { ...layer, packages: value['packages'] as readonly InstalledPackage[], maker };
}
