import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { CoppiceError, canonicalJson, type Digest, type ImagePin, parseDigest } from '@coppice/model';
import { unlessGone } from '../disk/disk-usage.ts';
import { hashFile, writeBlob } from './blob-writer.ts';
import { type BuildRecords, parseRecord, type RecordKind, recordName } from './build-record.ts';
import { moveAway, unlinkIfThere } from './delete-file.ts';
import { isErrno, linkDurably, renameDurably, temporaryPath, writeDurably } from './durable-file.ts';
import { type Blob, configText, type ImageManifest, manifestText, parseManifest } from './image-manifest.ts';
import { Uses } from './uses.ts';

/**
 * Images on disk: an OCI image layout whose index is a folder of keys. One process writes; a crash at any moment leaves what was there.
 * What is looked up, taken in or written is noted as used before it is looked at, so that a deletion never falls between look and use.
 *
 *     oci-layout, index.json        what the OCI image layout asks for
 *     blobs/sha256/HEX              layers (uncompressed), configurations, manifests
 *     keys/{image,layer,base}/HEX   what was made for a key
 *     writing/                      files on their way, emptied at start
 */
export interface OciStore {
  /** Takes the content in; where `expected` is given and the content is another, it throws `internal` and keeps nothing. */
  putBlob(content: AsyncIterable<Uint8Array>, expected?: Digest): Promise<Blob>;
  /** Takes a file of the host in, by hard link where that works (it must not change any more), after checking its digest. */
  adoptBlob(path: string, blob: Blob): Promise<void>;
  has(digest: Digest): Promise<boolean>;
  /** Bytes, or undefined where it is not there. */
  size(digest: Digest): Promise<number | undefined>;
  /** Where the blob lies or would lie. */
  path(digest: Digest): string;
  /** Whether the blob's bytes still have its digest. Reads all of it. */
  verify(digest: Digest): Promise<boolean>;
  /** Writes configuration and manifest over layers that are there. Equal layers give equal pins. */
  putManifest(layers: readonly Blob[]): Promise<ImagePin>;
  /** The manifest, or undefined where it is not there or the blob is none. */
  manifest(digest: Digest): Promise<ImageManifest | undefined>;
  /** What was made for a key, if every blob it names is there in its full size. */
  lookup<Kind extends RecordKind>(kind: Kind, key: Digest): Promise<BuildRecords[Kind] | undefined>;
  record<Kind extends RecordKind>(kind: Kind, key: Digest, record: BuildRecords[Kind]): Promise<void>;
  /** All keys of a kind, in no order. */
  keys(kind: RecordKind): Promise<readonly Digest[]>;
  /** Whether the manifest and every blob it names are there in full size. */
  isComplete(image: ImagePin): Promise<boolean>;

  /** What is in use. Blobs go by their digest, records by `recordName`. */
  readonly uses: Uses;
  /** What is written for a key, whether what it names is there or not. Notes no use. */
  read<Kind extends RecordKind>(kind: Kind, key: Digest): Promise<BuildRecords[Kind] | undefined>;
  /** All blobs, in no order. */
  blobs(): Promise<readonly Blob[]>;
  /** Deletes the blob, unless it came into use since the mark or is held. Answers whether it is gone. */
  deleteBlob(digest: Digest, mark: number): Promise<boolean>;
  /** The same for a record. */
  deleteRecord(kind: RecordKind, key: Digest, mark: number): boolean;
  /** Files that were to become part of the store, and that nobody writes any more. */
  leftovers(): Promise<readonly Leftover[]>;
  /** Deletes one of them by its name, where it still is one. Answers whether it is gone. */
  deleteLeftover(name: string): Promise<boolean>;
}

/** What work that failed or died left behind. */
export interface Leftover {
  readonly name: string;
  readonly bytes: number;
}

const looksAtOnce = 32;
const largestManifest = 4 * 1024 * 1024;

/** Opens the layout below `directory`, which is made where it is missing. Only one process may have it open. */
export async function openOciStore(directory: string): Promise<OciStore> {
  const store = new FileOciStore(directory);
  await store.open();
  return store;
}

class FileOciStore implements OciStore {
  private readonly directory: string;
  private readonly blobFolder: string;
  private readonly writing: string;
  /** Names in `writing` that somebody works on. */
  private readonly underWay = new Set<string>();
  readonly uses = new Uses();

  constructor(directory: string) {
    this.directory = directory;
    this.blobFolder = join(directory, 'blobs', 'sha256');
    this.writing = join(directory, 'writing');
  }

  async open(): Promise<void> {
    await rm(this.writing, { recursive: true, force: true });
    const kinds: readonly RecordKind[] = ['image', 'layer', 'base'];
    for (const folder of [this.blobFolder, this.writing, ...kinds.map((kind) => join(this.directory, 'keys', kind))]) {
      await mkdir(folder, { recursive: true, mode: 0o755 });
    }
    await this.ensure('oci-layout', canonicalJson({ imageLayoutVersion: '1.0.0' }));
    await this.ensure('index.json', canonicalJson({ schemaVersion: 2, manifests: [] }));
  }

  /** Opening what is there needs no room on the disk. */
  private async ensure(name: string, text: string): Promise<void> {
    const path = join(this.directory, name);
    const found = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (found !== text) await this.write(path, text);
  }

  async putBlob(content: AsyncIterable<Uint8Array>, expected?: Digest): Promise<Blob> {
    return this.viaTemporary(async (temporary) => {
      const blob = await writeBlob(temporary, content);
      if (expected !== undefined && blob.digest !== expected) {
        await rm(temporary, { force: true });
        throw new CoppiceError('internal', `content of ${blob.digest} came where ${expected} was expected`);
      }
      this.uses.note([blob.digest]);
      if ((await this.size(blob.digest)) === blob.size) await rm(temporary, { force: true });
      else await renameDurably(temporary, this.path(blob.digest));
      return blob;
    });
  }

  async adoptBlob(path: string, blob: Blob): Promise<void> {
    this.uses.note([blob.digest]);
    if ((await this.size(blob.digest)) === blob.size) return;
    const found = await hashFile(path);
    if (found.digest !== blob.digest || found.size !== blob.size) {
      throw new CoppiceError('internal', `${path} holds ${found.digest} where ${blob.digest} was expected`);
    }
    if (await this.viaTemporary((temporary) => linkDurably(path, this.path(blob.digest), temporary))) return;
    await this.putBlob(createReadStream(path, { highWaterMark: 1024 * 1024 }), blob.digest);
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  async size(digest: Digest): Promise<number | undefined> {
    return (await unlessGone(stat(this.path(digest))))?.size;
  }

  path(digest: Digest): string {
    return join(this.blobFolder, digest.slice('sha256:'.length));
  }

  async verify(digest: Digest): Promise<boolean> {
    return (await this.has(digest)) && (await hashFile(this.path(digest))).digest === digest;
  }

  async putManifest(layers: readonly Blob[]): Promise<ImagePin> {
    this.uses.note(layers.map((layer) => layer.digest));
    const config = await this.putText(configText(layers));
    const manifest = await this.putText(manifestText({ config, layers }));
    return { manifest: manifest.digest, config: config.digest };
  }

  async manifest(digest: Digest): Promise<ImageManifest | undefined> {
    const size = await this.size(digest);
    if (size === undefined || size > largestManifest) return undefined;
    return parseManifest(await readFile(this.path(digest), 'utf8'));
  }

  async lookup<Kind extends RecordKind>(kind: Kind, key: Digest): Promise<BuildRecords[Kind] | undefined> {
    this.uses.note([recordName(kind, key)]);
    const record = await this.read(kind, key);
    return record && (await this.isWhole(record)) ? record : undefined;
  }

  async read<Kind extends RecordKind>(kind: Kind, key: Digest): Promise<BuildRecords[Kind] | undefined> {
    let text: string;
    try {
      text = await readFile(this.keyPath(kind, key), 'utf8');
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
    return parseRecord(kind, text);
  }

  async record<Kind extends RecordKind>(kind: Kind, key: Digest, record: BuildRecords[Kind]): Promise<void> {
    this.uses.note([recordName(kind, key)]);
    await this.write(this.keyPath(kind, key), canonicalJson(record));
  }

  async keys(kind: RecordKind): Promise<readonly Digest[]> {
    const names = await readdir(join(this.directory, 'keys', kind));
    return names.flatMap((name) => parseDigest(`sha256:${name}`) ?? []);
  }

  async isComplete(image: ImagePin): Promise<boolean> {
    this.uses.note([image.manifest, image.config]);
    const manifest = await this.manifest(image.manifest);
    return manifest !== undefined && (await this.areThere([manifest.config, ...manifest.layers]));
  }

  async blobs(): Promise<readonly Blob[]> {
    const found: Blob[] = [];
    const names = await readdir(this.blobFolder);
    // some at once, so that a look at thousands does not fill the queue that all files wait in
    for (let from = 0; from < names.length; from += looksAtOnce) {
      const digests = names.slice(from, from + looksAtOnce).flatMap((name) => parseDigest(`sha256:${name}`) ?? []);
      const sizes = await Promise.all(digests.map((digest) => this.size(digest)));
      for (const [index, digest] of digests.entries()) {
        const size = sizes[index];
        if (size !== undefined) found.push({ digest, size });
      }
    }
    return found;
  }

  async deleteBlob(digest: Digest, mark: number): Promise<boolean> {
    if (this.uses.isSpared(digest, mark)) return false;
    const away = temporaryPath(this.writing);
    // In one turn with the question above, and quick however large it is: who looks from now on does not find it.
    const isMoved = moveAway(this.path(digest), away);
    this.uses.forget(digest);
    if (isMoved) await rm(away, { force: true });
    return true;
  }

  deleteRecord(kind: RecordKind, key: Digest, mark: number): boolean {
    const name = recordName(kind, key);
    if (this.uses.isSpared(name, mark)) return false;
    unlinkIfThere(this.keyPath(kind, key));
    this.uses.forget(name);
    return true;
  }

  async leftovers(): Promise<readonly Leftover[]> {
    const found: Leftover[] = [];
    for (const name of await readdir(this.writing)) {
      const stats = await unlessGone(stat(join(this.writing, name)));
      if (stats && !this.underWay.has(name)) found.push({ name, bytes: stats.blocks * 512 });
    }
    return found;
  }

  async deleteLeftover(name: string): Promise<boolean> {
    if (!(await this.leftovers()).some((leftover) => leftover.name === name)) return !this.underWay.has(name);
    await rm(join(this.writing, name), { force: true });
    return true;
  }

  private async isWhole(record: BuildRecords[RecordKind]): Promise<boolean> {
    if ('layer' in record) return this.areThere([record.layer]);
    if ('layers' in record) return this.areThere(record.layers);
    this.uses.note([recordName('base', record.base), ...record.parts.map((part) => recordName('layer', part))]);
    return this.isComplete(record.image);
  }

  private async areThere(blobs: readonly Blob[]): Promise<boolean> {
    this.uses.note(blobs.map((blob) => blob.digest));
    const sizes = await Promise.all(blobs.map((blob) => this.size(blob.digest)));
    return sizes.every((size, index) => size === blobs[index]?.size);
  }

  private keyPath(kind: RecordKind, key: Digest): string {
    return join(this.directory, 'keys', kind, key.slice('sha256:'.length));
  }

  private putText(text: string): Promise<Blob> {
    return this.putBlob(Readable.from([Buffer.from(text)]));
  }

  private write(path: string, text: string): Promise<void> {
    return this.viaTemporary((temporary) => writeDurably(path, temporary, text));
  }

  private async viaTemporary<Result>(work: (temporary: string) => Promise<Result>): Promise<Result> {
    const temporary = temporaryPath(this.writing);
    this.underWay.add(basename(temporary));
    try {
      return await work(temporary);
    } finally {
      this.underWay.delete(basename(temporary));
    }
  }
}
