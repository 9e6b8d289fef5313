import { type Digest, type ImagePin, parseDigest } from '@coppice/model';
import { type Blob, isRecord, parseBlob, parseJson } from './image-manifest.ts';

/** What stands under a key, by kind. Records are written last: where one is, its blobs were synced before. */
export interface BuildRecords {
  /** By build key. */
  readonly image: ImageRecord;
  /** By the key of a step, a source tree or a set of files. */
  readonly layer: LayerRecord;
  /** By the digest of a base recipe. */
  readonly base: BaseRecord;
}
export type RecordKind = keyof BuildRecords;

/** How a record is called among what is used and among garbage. */
export function recordName(kind: RecordKind, key: Digest): string {
  return `${kind} ${key}`;
}

export interface ImageRecord {
  readonly v: 1;
  readonly image: ImagePin;
  /** What entered the key, by name. */
  readonly inputs: readonly { readonly name: string; readonly value: string }[];
  /** Key of the base record, which lists the packages inside. */
  readonly base: Digest;
  /** Keys of the layer records that went into it, those included whose layer was empty and left out. */
  readonly parts: readonly Digest[];
}

export interface LayerRecord {
  readonly v: 1;
  readonly layer: Blob;
}

export interface BaseRecord {
  readonly v: 1;
  /** Bottom first. */
  readonly layers: readonly Blob[];
  readonly packages: readonly BasePackage[];
}

/** A package inside a base: its name, version and where it came from. */
export interface BasePackage {
  readonly name: string;
  readonly version: string;
  readonly source: string;
}

/** The record a text holds; undefined where it is none of the kind, so that it is made again. */
export function parseRecord<Kind extends RecordKind>(kind: Kind, text: string): BuildRecords[Kind] | undefined {
  const value = parseJson(text);
  return isRecord(value) && value['v'] === 1 ? parsers[kind](value) : undefined;
}

const parsers: { readonly [Kind in RecordKind]: (value: Readonly<Record<string, unknown>>) => BuildRecords[Kind] | undefined } = {
  image: (value) => {
    const pin = isRecord(value['image']) ? value['image'] : {};
    const manifest = digestIn(pin['manifest']);
    const config = digestIn(pin['config']);
    const base = digestIn(value['base']);
    if (!manifest || !config || !base) return undefined;
    // records from before there were parts have none
    const parts = listOf(value['parts'], digestIn) ?? [];
    return { v: 1, image: { manifest, config }, inputs: namedValues(value['inputs']), base, parts };
  },
  layer: (value) => {
    const layer = parseBlob(value['layer']);
    return layer ? { v: 1, layer } : undefined;
  },
  base: (value) => {
    const layers = listOf(value['layers'], parseBlob);
    return layers ? { v: 1, layers, packages: listOf(value['packages'], parsePackage) ?? [] } : undefined;
  },
};

function digestIn(value: unknown): Digest | undefined {
  return typeof value === 'string' ? parseDigest(value) : undefined;
}

function namedValues(value: unknown): ImageRecord['inputs'] {
  return (
    listOf(value, (item) =>
      isRecord(item) && typeof item['name'] === 'string' && typeof item['value'] === 'string'
        ? { name: item['name'], value: item['value'] }
        : undefined,
    ) ?? []
  );
}

function parsePackage(value: unknown): BasePackage | undefined {
  if (!isRecord(value)) return undefined;
  const { name, version, source } = value;
  return typeof name === 'string' && typeof version === 'string' && typeof source === 'string' ? { name, version, source } : undefined;
}

function listOf<Item>(value: unknown, parse: (item: unknown) => Item | undefined): Item[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: Item[] = [];
  for (const item of value) {
    const parsed = parse(item);
    if (parsed === undefined) return undefined;
    items.push(parsed);
  }
  return items;
}
