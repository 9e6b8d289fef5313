import { stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Digest, type ImagePin, parseDigest } from '@coppice/model';
import { BaseCache, type KeptPart } from '../base/base-cache.ts';
import type { BuildDisks } from '../disk/build-disk.ts';
import { unlessGone } from '../disk/disk-usage.ts';
import type { RecordKind } from '../store/build-record.ts';
import type { OciStore } from '../store/oci-store.ts';
import { decideGarbage } from './decide-garbage.ts';
import type { Garbage, GarbageItem, GarbageKind, ImageGarbage, Needed } from './image-garbage.ts';
import { readInventory } from './store-inventory.ts';

export interface ImageGarbageOptions {
  readonly store: OciStore;
  readonly disks: () => Promise<BuildDisks>;
  /** The folder of bases that servers share, and which of them this one made. */
  readonly cacheDirectory: string;
  readonly maker: string;
  readonly running: () => readonly ImagePin[];
}

/** Garbage of a store, its build disks and the shared folder of bases. */
export function createImageGarbage(options: ImageGarbageOptions): ImageGarbage {
  const { store, running } = options;
  return {
    hold: () => store.uses.hold(),
    complete: async (images) => {
      const found = await Promise.all(images.map(async (image) => image.foreign !== undefined || (await store.isComplete(image))));
      return new Set(images.filter((_, index) => found[index]).map((image) => image.manifest));
    },
    running,
    garbage: (readNeeded) => findGarbage(options, readNeeded),
    collect: (garbage) => collectGarbage(options, garbage),
  };
}

async function findGarbage(options: ImageGarbageOptions, readNeeded: () => Needed | Promise<Needed>): Promise<Garbage> {
  const { store } = options;
  const mark = store.uses.mark();
  const needed = await readNeeded();
  const inventory = await readInventory(store, needed.manifests.keys());
  const isInUse = (name: string): boolean => store.uses.isSpared(name, mark);
  const ofStore = decideGarbage({ inventory, manifests: needed.manifests, isInUse });
  const left = (await store.leftovers()).map(({ name, bytes }) => leftoverItem(`${inStore}${name}`, bytes));
  return { items: [...ofStore, ...(await baseItems(options, ofStore)), ...(await diskItems(options, needed)), ...left], mark };
}

async function collectGarbage(options: ImageGarbageOptions, { items, mark }: Garbage): Promise<readonly GarbageItem[]> {
  const after: GarbageItem[] = [];
  // one after the other, in the order given: a record goes before what it names
  for (const item of items) {
    // thousands of small deletions are not to keep everybody else waiting
    await nextTurn();
    const isGone = item.action === 'delete' && item.kind !== 'base' && (await deletions[item.kind](options, item.id, mark));
    after.push(item.action === 'keep' || isGone || item.kind === 'base' ? item : spared(item));
  }
  const bases = await collectBases(options, items);
  return after.map((item) => (item.kind === 'base' && item.action === 'delete' && !bases.has(item.id) ? spared(item) : item));
}

function spared(item: GarbageItem): GarbageItem {
  return { ...item, action: 'keep', why: 'it came into use meanwhile' };
}

type Deletion = (options: ImageGarbageOptions, id: string, mark: number) => Promise<boolean>;

const inStore = 'images/writing/';
const onDisks = 'builds/disks/';

const deletions: { readonly [Kind in Exclude<GarbageKind, 'base'>]: Deletion } = {
  build: async ({ store }, id, mark) => {
    const [kind = '', key = ''] = id.split(' ');
    const digest = parseDigest(key);
    return isRecordKind(kind) && digest !== undefined && store.deleteRecord(kind, digest, mark);
  },
  image: deleteBlob,
  layer: deleteBlob,
  cache: async ({ disks }, id) => (await disks()).removeCache(id),
  leftover: async ({ store, disks }, id) => {
    if (id.startsWith(inStore)) return store.deleteLeftover(id.slice(inStore.length));
    return id.startsWith(onDisks) && (await (await disks()).removeLeftover(id.slice(onDisks.length)));
  },
};

async function deleteBlob({ store }: ImageGarbageOptions, id: string, mark: number): Promise<boolean> {
  const digest = parseDigest(id);
  return digest !== undefined && store.deleteBlob(digest, mark);
}

function isRecordKind(kind: string): kind is RecordKind {
  return kind === 'image' || kind === 'layer' || kind === 'base';
}

async function diskItems({ disks }: ImageGarbageOptions, { projects }: Needed): Promise<readonly GarbageItem[]> {
  const open = await disks();
  const caches = (await open.caches()).map(({ name: id, bytes, isHeld }): GarbageItem => {
    const project = id.slice(0, id.indexOf('/'));
    const why = isHeld ? 'a build uses it' : projects.has(project) ? `the package cache of project ${project}` : undefined;
    const decision =
      why === undefined ? ({ action: 'delete', why: `there is no project ${project}` } as const) : ({ action: 'keep', why } as const);
    return { kind: 'cache', id, bytes, ...decision };
  });
  const left = (await open.leftovers()).map(({ name, bytes }) => leftoverItem(`${onDisks}${name}`, bytes));
  return [...caches, ...left];
}

function leftoverItem(id: string, bytes: number): GarbageItem {
  return { kind: 'leftover', id, bytes, action: 'delete', why: 'a build that failed or died left it' };
}

/** Only what this server was the first to make, and no store has taken in, goes: the folder belongs to all servers of the machine. */
async function baseItems(options: ImageGarbageOptions, ofStore: readonly GarbageItem[]): Promise<readonly GarbageItem[]> {
  const { cacheDirectory, maker, store } = options;
  const going = new Set(ofStore.flatMap(({ id, action }) => (action === 'delete' ? [id] : [])));
  const parts = await new BaseCache(cacheDirectory).parts();
  const items = parts.map(async (part): Promise<GarbageItem> => {
    const { key: id, bytes } = part;
    const here = await unlessGone(stat(store.path(part.digest)));
    const staysHere = here !== undefined && !going.has(part.digest);
    const ownLinks = here?.ino === part.file?.ino && here?.dev === part.file?.dev ? 1 : 0;
    const decision = decideBase(part, { maker, staysHere, ownLinks });
    return { kind: 'base', id, bytes, ...decision };
  });
  return (await Promise.all(items)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

interface BaseQuestion {
  readonly maker: string;
  readonly staysHere: boolean;
  /** Names of the layer's file that are our store's. */
  readonly ownLinks: number;
}

function decideBase(part: KeptPart, { maker, staysHere, ownLinks }: BaseQuestion): Pick<GarbageItem, 'action' | 'why'> {
  if (staysHere) return { action: 'keep', why: 'images that stay have it' };
  if (part.maker !== maker) return { action: 'keep', why: 'this server did not make it' };
  if (part.links > 1 + ownLinks) return { action: 'keep', why: 'another server uses it' };
  return { action: 'delete', why: 'no image that stays has it' };
}

/** The keys of the parts that are gone. */
async function collectBases(options: ImageGarbageOptions, items: readonly GarbageItem[]): Promise<ReadonlySet<string>> {
  const { cacheDirectory, maker, store } = options;
  const chosen = items.flatMap(({ kind, id, action }) => (kind === 'base' && action === 'delete' ? (parseDigest(id) ?? []) : []));
  if (chosen.length === 0) return new Set();
  const isHere = new Set<Digest>((await store.blobs()).map(({ digest }) => digest));
  const mayGo = (part: KeptPart): boolean =>
    decideBase(part, { maker, staysHere: isHere.has(part.digest), ownLinks: 0 }).action === 'delete';
  return new BaseCache(cacheDirectory).remove(new Set(chosen), mayGo);
}
