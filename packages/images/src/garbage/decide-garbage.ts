import { type Digest, shortDigest } from '@coppice/model';
import { type RecordKind, recordName } from '../store/build-record.ts';
import { type Blob, emptyTarBytes } from '../store/image-manifest.ts';
import type { GarbageItem, Needed } from './image-garbage.ts';
import type { StoreInventory } from './store-inventory.ts';

export interface GarbageQuestion {
  readonly inventory: StoreInventory;
  readonly manifests: Needed['manifests'];
  /** Whether a build uses the blob (by digest) or the record (by `recordName`). */
  readonly isInUse: (name: string) => boolean;
}

const byABuild = 'a build uses it';

/**
 * What of a store stays and what goes, in the order in which it is safe to delete: records, manifests, configurations, layers.
 * An image stays where it is needed or in use, with all its layers; a record stays with what it says was made.
 */
export function decideGarbage(question: GarbageQuestion): readonly GarbageItem[] {
  const { inventory, isInUse } = question;
  const reasons = markReachable(question);
  const item = (kind: GarbageItem['kind'], id: string, bytes: number, otherwise: string): GarbageItem => {
    const why = reasons.get(id) ?? (isInUse(id) ? byABuild : undefined);
    return { kind, id, bytes, ...(why === undefined ? { action: 'delete', why: otherwise } : { action: 'keep', why }) };
  };
  const records = (['image', 'base', 'layer'] as const).flatMap((kind) =>
    [...inventory.records[kind].keys()].map((key) => item('build', recordName(kind, key), 0, whyRecordGoes(inventory, kind, key))),
  );
  const configurations = new Set<string>([...inventory.manifests.values()].map((manifest) => manifest.config.digest));
  const blobs = [...inventory.blobs].map(([digest, size]) => {
    if (inventory.manifests.has(digest)) return item('image', digest, size, 'nothing that may run again has this image');
    if (configurations.has(digest)) return item('image', digest, size, 'it belongs to an image that goes');
    return item('layer', digest, size, 'no image that stays has it');
  });
  const rank = ({ kind, id }: GarbageItem): number => (kind === 'layer' ? 2 : configurations.has(id) ? 1 : 0);
  return [...records.toSorted(byId), ...blobs.toSorted((a, b) => rank(a) - rank(b) || byId(a, b))];
}

/** Why each thing that can be reached stays, by digest or record name. */
function markReachable({ inventory, manifests: needed, isInUse }: GarbageQuestion): ReadonlyMap<string, string> {
  const { records, blobs, manifests } = inventory;
  const reasons = new Map<string, string>();
  const reach = (id: string, why: string): void => void (reasons.has(id) || reasons.set(id, why));
  const areThere = (all: readonly Blob[]): boolean => all.every(({ digest, size }) => blobs.get(digest) === size);

  for (const [digest, manifest] of manifests) {
    const why = needed.get(digest) ?? (isInUse(digest) ? byABuild : undefined);
    if (why === undefined) continue;
    reach(digest, why);
    for (const { digest: part } of [manifest.config, ...manifest.layers]) reach(part, `image ${shortDigest(digest)}: ${why}`);
  }
  for (const [key, record] of records.image) {
    const manifest = record && manifests.get(record.image.manifest);
    const why = record && reasons.get(record.image.manifest);
    if (!manifest || why === undefined || !areThere([manifest.config, ...manifest.layers])) continue;
    reach(recordName('image', key), `it is how image ${shortDigest(record.image.manifest)} was made: ${why}`);
    const base = records.base.get(record.base);
    if (base && areThere(base.layers)) {
      reach(recordName('base', record.base), `it lists what is in image ${shortDigest(record.image.manifest)}`);
      for (const { digest } of base.layers) reach(digest, `the base of image ${shortDigest(record.image.manifest)}`);
    }
    for (const part of record.parts) {
      const layer = records.layer.get(part)?.layer;
      if (!layer || !areThere([layer])) continue;
      reach(recordName('layer', part), `a part of image ${shortDigest(record.image.manifest)}`);
      reach(layer.digest, `a part of image ${shortDigest(record.image.manifest)}`);
    }
  }
  for (const [key, record] of records.layer) {
    // every step that changed nothing has the same empty layer
    if (!record || record.layer.size <= emptyTarBytes || !areThere([record.layer])) continue;
    const why = reasons.get(record.layer.digest);
    if (why !== undefined) reach(recordName('layer', key), why);
  }
  return reasons;
}

function whyRecordGoes({ records }: StoreInventory, kind: RecordKind, key: Digest): string {
  return records[kind].get(key) ? 'nothing that stays was made with it' : 'it cannot be read';
}

function byId(a: GarbageItem, b: GarbageItem): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
