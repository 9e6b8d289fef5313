import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CoppiceError, canonicalJson, type Digest, type ImagePin, parseDigest } from '@coppice/model';
import { hashFile, writeBlob } from './blob-writer.ts';
import { type BuildRecords, parseRecord, type RecordKind } from './build-record.ts';
import { isErrno, linkDurably, renameDurably, temporaryPath, writeDurably } from './durable-file.ts';
import { type Blob, configText, type ImageManifest, manifestText, parseManifest } from './image-manifest.ts';

/**
 * Images on disk: an OCI image layout whose index is a folder of keys. One process writes; a crash at any moment leaves what was there.
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
}

const largestManifest = 4 * 1024 * 1024;

/** Opens the layout below `directory`, which is made where it is missing. Only one process may have it open. */
export async function openOciStore(directory: string): Promise<OciStore> {
  const store = new FileOciStore(directory);
  await store.open();
  return store;
}

class FileOciStore implements OciStore {
  private readonly directory: string;
  private readonly blobs: string;
  private readonly writing: string;

  constructor(directory: string) {
    this.directory = directory;
    this.blobs = join(directory, 'blobs', 'sha256');
    this.writing = join(directory, 'writing');
  }

  async open(): Promise<void> {
    await rm(this.writing, { recursive: true, force: true });
    const kinds: readonly RecordKind[] = ['image', 'layer', 'base'];
    for (const folder of [this.blobs, this.writing, ...kinds.map((kind) => join(this.directory, 'keys', kind))]) {
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
    const temporary = temporaryPath(this.writing);
    const blob = await writeBlob(temporary, content);
    if (expected !== undefined && blob.digest !== expected) {
      await rm(temporary, { force: true });
      throw new CoppiceError('internal', `content of ${blob.digest} came where ${expected} was expected`);
    }
    if ((await this.size(blob.digest)) === blob.size) await rm(temporary, { force: true });
    else await renameDurably(temporary, this.path(blob.digest));
    return blob;
  }

  async adoptBlob(path: string, blob: Blob): Promise<void> {
    if ((await this.size(blob.digest)) === blob.size) return;
    const found = await hashFile(path);
    if (found.digest !== blob.digest || found.size !== blob.size) {
      throw new CoppiceError('internal', `${path} holds ${found.digest} where ${blob.digest} was expected`);
    }
    if (await linkDurably(path, this.path(blob.digest), temporaryPath(this.writing))) return;
    await this.putBlob(createReadStream(path, { highWaterMark: 1024 * 1024 }), blob.digest);
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  async size(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.path(digest))).size;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  path(digest: Digest): string {
    return join(this.blobs, digest.slice('sha256:'.length));
  }

  async verify(digest: Digest): Promise<boolean> {
    return (await this.has(digest)) && (await hashFile(this.path(digest))).digest === digest;
  }

  async putManifest(layers: readonly Blob[]): Promise<ImagePin> {
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
    let text: string;
    try {
      text = await readFile(this.keyPath(kind, key), 'utf8');
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
    const record = parseRecord(kind, text);
    return record && (await this.isWhole(record)) ? record : undefined;
  }

  async record<Kind extends RecordKind>(kind: Kind, key: Digest, record: BuildRecords[Kind]): Promise<void> {
    await this.write(this.keyPath(kind, key), canonicalJson(record));
  }

  async keys(kind: RecordKind): Promise<readonly Digest[]> {
    const names = await readdir(join(this.directory, 'keys', kind));
    return names.flatMap((name) => parseDigest(`sha256:${name}`) ?? []);
  }

  private async isWhole(record: BuildRecords[RecordKind]): Promise<boolean> {
    if ('layer' in record) return this.areThere([record.layer]);
    if ('layers' in record) return this.areThere(record.layers);
    const manifest = await this.manifest(record.image.manifest);
    return manifest !== undefined && (await this.areThere([manifest.config, ...manifest.layers]));
  }

  private async areThere(blobs: readonly Blob[]): Promise<boolean> {
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
    return writeDurably(path, temporaryPath(this.writing), text);
  }
}
