import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Digest } from '@coppice/model';
import { WatchedDisks } from '../disk/watched-disks.ts';
import type { RecordKind } from '../store/build-record.ts';
import { type OciStore, openOciStore } from '../store/oci-store.ts';
import { folderContent } from '../testing/folder-content.ts';
import { diceOf, fillRandomly, type RandomStore } from '../testing/random-store.ts';
import { createImageGarbage } from './create-image-garbage.ts';
import type { GarbageItem, ImageGarbage } from './image-garbage.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-garbage-'));
after(() => rm(root, { recursive: true, force: true }));

const kinds: readonly RecordKind[] = ['image', 'layer', 'base'];

async function garbageOf(store: OciStore, directory: string): Promise<ImageGarbage> {
  const disks = new WatchedDisks(join(directory, 'disks'), 'a test');
  return createImageGarbage({ store, disks: async () => disks, cacheDirectory: join(directory, 'bases'), maker: 'me', running: () => [] });
}

async function randomStore(seed: number): Promise<{ readonly directory: string; readonly store: OciStore; readonly filled: RandomStore }> {
  const directory = join(root, `store-${seed}`);
  await openOciStore(directory);
  const filled = await fillRandomly(await openOciStore(directory), directory, diceOf(seed));
  return { directory, store: await openOciStore(directory), filled };
}

/** Everything whole in a store: complete images that are needed, and records by name. */
async function wholeThings(store: OciStore, { images, needed }: RandomStore): Promise<ReadonlyMap<string, unknown>> {
  const whole = new Map<string, unknown>();
  for (const image of images) {
    if (needed.has(image.manifest) && (await store.isComplete(image))) whole.set(image.manifest, await store.manifest(image.manifest));
  }
  for (const kind of kinds) {
    for (const key of await store.keys(kind)) {
      const record = await store.lookup(kind, key);
      if (record) whole.set(`${kind} ${key}`, record);
    }
  }
  return whole;
}

/** All that may be there after a collection, told from what was whole before it. */
function reachable(before: ReadonlyMap<string, unknown>, { needed }: RandomStore, manifestsThere: ReadonlyMap<Digest, readonly Digest[]>) {
  const names = new Set<string>();
  const blobs = new Set<string>();
  for (const [manifest, parts] of manifestsThere) if (needed.has(manifest)) for (const part of [manifest, ...parts]) blobs.add(part);
  const image = [...before].flatMap(([name, value]) => (name.startsWith('image ') ? [{ name, value: value as ImageValue }] : []));
  for (const { name, value } of image.filter((one) => needed.has(one.value.image.manifest))) {
    names.add(name);
    for (const used of [`base ${value.base}`, ...value.parts.map((part) => `layer ${part}`)]) {
      const record = before.get(used) as { readonly layer?: Sized; readonly layers?: readonly Sized[] } | undefined;
      if (!record) continue;
      names.add(used);
      for (const { digest } of [...(record.layers ?? []), ...(record.layer ? [record.layer] : [])]) blobs.add(digest);
    }
  }
  for (const [name, value] of before) {
    const layer = (value as { readonly layer?: Sized }).layer;
    if (name.startsWith('layer ') && layer && layer.size > 1024 && blobs.has(layer.digest)) names.add(name);
  }
  return { names, blobs };
}

interface Sized {
  readonly digest: Digest;
  readonly size: number;
}
interface ImageValue {
  readonly image: { readonly manifest: Digest };
  readonly base: Digest;
  readonly parts: readonly Digest[];
}

async function manifestsIn(store: OciStore, { images }: RandomStore): Promise<ReadonlyMap<Digest, readonly Digest[]>> {
  const there = new Map<Digest, readonly Digest[]>();
  const blobs = new Set((await store.blobs()).map(({ digest }) => digest));
  for (const { manifest } of images) {
    const found = await store.manifest(manifest);
    const parts = found ? [found.config, ...found.layers].map(({ digest }) => digest) : [];
    if (found)
      there.set(
        manifest,
        parts.filter((digest) => blobs.has(digest)),
      );
  }
  return there;
}

async function namesIn(store: OciStore): Promise<readonly string[]> {
  const keys = await Promise.all(kinds.map(async (kind) => (await store.keys(kind)).map((key) => `${kind} ${key}`)));
  return keys.flat().sort();
}

const needs = ({ needed }: RandomStore) => ({ manifests: needed, projects: new Set<string>() });

test('what is reachable stays as it is, all else goes, and a look alone changes nothing: 30 random stores', async () => {
  let deleted = 0;
  let kept = 0;
  for (let seed = 1; seed <= 30; seed += 1) {
    const { directory, store, filled } = await randomStore(seed);
    const before = await wholeThings(store, filled);
    const expected = reachable(before, filled, await manifestsIn(store, filled));
    const files = await folderContent(directory);

    const garbage = await garbageOf(store, directory);
    const found = await garbage.garbage(() => needs(filled));
    assert.deepEqual(await folderContent(directory), files, `seed ${seed}: a look changed something`);
    assert.deepEqual(await garbage.collect(found), found.items, `seed ${seed}: not all went that was said to go`);

    assert.deepEqual(await namesIn(store), [...expected.names].sort(), `seed ${seed}: records`);
    assert.deepEqual(new Set((await store.blobs()).map(({ digest }) => digest)), expected.blobs, `seed ${seed}: blobs`);
    for (const name of expected.names)
      assert.deepEqual((await wholeThings(store, filled)).get(name), before.get(name), `seed ${seed}: ${name}`);
    for (const digest of expected.blobs) assert.equal(await store.verify(digest as Digest), true, `seed ${seed}: ${digest}`);

    const again = await garbage.garbage(() => needs(filled));
    assert.deepEqual(again.items.filter(isDeleted), [], `seed ${seed}: something was left for a second time`);
    deleted += found.items.filter(isDeleted).length;
    kept += again.items.length;
  }
  assert.ok(deleted > 300 && kept > 300, `the stores were dull: ${deleted} deleted, ${kept} kept`);
});

test('cut off after any deletion, needed images are complete, records are whole or count as not there, and the next collection ends it', async () => {
  for (let seed = 100; seed < 102; seed += 1) {
    const { directory, store, filled } = await randomStore(seed);
    const before = await wholeThings(store, filled);
    const steps = (await (await garbageOf(store, directory)).garbage(() => needs(filled))).items.filter(isDeleted).length;
    for (let cutAt = 0; cutAt <= steps; cutAt += 1) {
      const copy = `${directory}-${cutAt}`;
      await cp(directory, copy, { recursive: true });
      await assert.rejects(cutOff(await openOciStore(copy), copy, filled, cutAt), /^Error: cut off$/);
      const revived = await openOciStore(copy);
      const after = await wholeThings(revived, filled);
      for (const [name, value] of before) {
        const mayBeGone = name.includes(' ');
        if (after.has(name) || !mayBeGone) assert.deepEqual(after.get(name), value, `seed ${seed}, cut at ${cutAt}: ${name}`);
      }
      for (const [name] of before)
        if (isOfNeeded(name, before, filled)) assert.ok(after.has(name), `seed ${seed}, cut at ${cutAt}: ${name}`);
      const garbage = await garbageOf(revived, copy);
      await garbage.collect(await garbage.garbage(() => needs(filled)));
      const expected = reachable(before, filled, await manifestsIn(store, filled));
      assert.deepEqual(await namesIn(revived), [...expected.names].sort());
      assert.deepEqual(new Set((await revived.blobs()).map(({ digest }) => digest)), expected.blobs);
      await rm(copy, { recursive: true });
    }
  }
});

function isOfNeeded(name: string, before: ReadonlyMap<string, unknown>, { needed }: RandomStore): boolean {
  return name.startsWith('image ') && needed.has((before.get(name) as ImageValue).image.manifest);
}

/** A collection that ends after so many deletions as if the process were killed. */
async function cutOff(store: OciStore, directory: string, filled: RandomStore, deletions: number): Promise<void> {
  let left = deletions;
  const spend = (): void => {
    if (left === 0) throw new Error('cut off');
    left -= 1;
  };
  const mortal: OciStore = Object.assign(Object.create(store) as OciStore, {
    deleteBlob: async (digest: Digest, mark: number) => {
      spend();
      return store.deleteBlob(digest, mark);
    },
    deleteRecord: (kind: RecordKind, key: Digest, mark: number) => {
      spend();
      return store.deleteRecord(kind, key, mark);
    },
  });
  const garbage = await garbageOf(mortal, directory);
  await garbage.collect(await garbage.garbage(() => needs(filled)));
  spend();
}

function isDeleted(item: GarbageItem): boolean {
  return item.action === 'delete';
}
