import type { Digest } from '@coppice/model';
import type { BuildRecords, RecordKind } from '../store/build-record.ts';
import type { ImageManifest } from '../store/image-manifest.ts';
import type { OciStore } from '../store/oci-store.ts';

/** Everything in a store. */
export interface StoreInventory {
  /** By key; undefined where what is written there is no record. */
  readonly records: { readonly [Kind in RecordKind]: ReadonlyMap<Digest, BuildRecords[Kind] | undefined> };
  /** Bytes by digest. */
  readonly blobs: ReadonlyMap<Digest, number>;
  /** Those of the blobs that are manifests. */
  readonly manifests: ReadonlyMap<Digest, ImageManifest>;
}

/** A manifest of 120 layers has 20 KB. One that is larger is found by `asked` or a record. */
const largestUnknownManifest = 64 * 1024;

/** Reads what there is; what is added meanwhile may be missing. `asked`: manifests to look for whatever their size. */
export async function readInventory(store: OciStore, asked: Iterable<Digest>): Promise<StoreInventory> {
  // records before blobs: what a record names was there before it
  const records = {
    image: await readRecords(store, 'image'),
    layer: await readRecords(store, 'layer'),
    base: await readRecords(store, 'base'),
  };
  const blobs = new Map((await store.blobs()).map(({ digest, size }) => [digest, size]));
  const named = [...records.image.values()].flatMap((record) => (record ? [record.image.manifest] : []));
  const small = [...blobs].flatMap(([digest, size]) => (size <= largestUnknownManifest ? [digest] : []));
  const manifests = new Map<Digest, ImageManifest>();
  for (const digest of new Set([...asked, ...named, ...small])) {
    const manifest = blobs.has(digest) ? await store.manifest(digest) : undefined;
    if (manifest) manifests.set(digest, manifest);
  }
  return { records, blobs, manifests };
}

async function readRecords<Kind extends RecordKind>(store: OciStore, kind: Kind): Promise<Map<Digest, BuildRecords[Kind] | undefined>> {
  const records = new Map<Digest, BuildRecords[Kind] | undefined>();
  for (const key of await store.keys(kind)) records.set(key, await store.read(kind, key));
  return records;
}
