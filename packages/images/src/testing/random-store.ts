import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type Digest, type ImagePin, sha256 } from '@coppice/model';
import type { BuildRecords, RecordKind } from '../store/build-record.ts';
import { type Blob, configText, emptyTarBytes, manifestText } from '../store/image-manifest.ts';
import type { OciStore } from '../store/oci-store.ts';

/** Numbers from 0 to below `below`, the same for the same seed. */
export type Dice = (below: number) => number;

export function diceOf(seed: number): Dice {
  let state = seed * 2654435761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** What was put into a store. */
export interface RandomStore {
  readonly images: readonly ImagePin[];
  /** Of the images, those that something needs. */
  readonly needed: ReadonlyMap<Digest, string>;
}

/** Fills the store that lies at `directory` with layers that images share, records of all kinds, whole, broken and dangling, and orphans. */
export async function fillRandomly(store: OciStore, directory: string, dice: Dice): Promise<RandomStore> {
  const put = async (content: string | Uint8Array): Promise<Blob> => {
    const blob = { digest: sha256(content), size: Buffer.byteLength(content) };
    await writeFile(store.path(blob.digest), content);
    return blob;
  };
  const record = async <Kind extends RecordKind>(kind: Kind, key: Digest, value: BuildRecords[Kind] | string): Promise<void> => {
    const text = typeof value === 'string' ? value : canonicalJson(value);
    await writeFile(join(directory, 'keys', kind, key.slice('sha256:'.length)), text);
  };
  const some = <Item>(from: readonly Item[], most: number): readonly Item[] =>
    Array.from({ length: dice(most + 1) }, () => from[dice(from.length)]).filter((item) => item !== undefined);

  const empty = await put(new Uint8Array(emptyTarBytes));
  const layers = await Promise.all(Array.from({ length: 6 + dice(8) }, (_, index) => put(`layer ${index}`.padEnd(1100 + dice(900)))));
  const gone: Blob = { digest: sha256('gone'), size: 4 };
  const baseKeys: Digest[] = [];
  for (let index = 0; index < 3; index += 1) {
    const key = sha256(`base ${index}`);
    baseKeys.push(key);
    await record('base', key, { v: 1, layers: [...some(layers, 2), ...(dice(6) === 0 ? [gone] : [])], packages: [] });
  }
  const layerKeys: Digest[] = [];
  for (let index = 0; index < 10; index += 1) {
    const key = sha256(`step ${index}`);
    layerKeys.push(key);
    const layer = [empty, gone][dice(6)] ?? layers[dice(layers.length)] ?? empty;
    await record('layer', key, dice(12) === 0 ? '{"v":1,"la' : { v: 1, layer });
  }
  const images: ImagePin[] = [];
  for (let index = 0; index < 2 + dice(6); index += 1) {
    const below = [...new Set(some(layers, 5)), ...(dice(8) === 0 ? [gone] : [])];
    const config = await put(configText(below));
    const manifest = await put(manifestText({ config, layers: below }));
    const image = { manifest: manifest.digest, config: config.digest };
    images.push(image);
    const base = baseKeys[dice(baseKeys.length)] ?? sha256('no base');
    const value = { v: 1, image, inputs: [{ name: 'index', value: String(index) }], base, parts: some(layerKeys, 3) } as const;
    for (let same = dice(3); same > 0; same -= 1) await record('image', sha256(`build ${index} ${same}`), value);
  }
  await put('an orphan');
  const needed = images.filter(() => dice(2) === 0).map(({ manifest }, index) => [manifest, `live in environment ${index}`] as const);
  return { images, needed: new Map([...needed, [sha256('of another store'), 'a foreign image']]) };
}
