import assert from 'node:assert/strict';
import { link, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf } from '@coppice/model';
import { BaseCache } from '../base/base-cache.ts';
import type { LocalImageBuilder } from '../image-builder.ts';
import { type BuildFixture, buildFixture, someType } from '../testing/build-fixture.ts';
import { FakeSandbox } from '../testing/fake-sandbox.ts';
import type { GarbageItem } from './image-garbage.ts';

const silent = { onProgress: () => undefined };
const nothing = { manifests: new Map(), projects: new Set<string>() };
const opened: BuildFixture[] = [];
after(async () => {
  for (const fixture of opened) await fixture.remove();
});

/** A server whose base has one layer, made by way of the shared folder. */
async function server(maker: string) {
  const fixture = await buildFixture(new FakeSandbox({}), {
    maker,
    bases: {
      key: digestOf,
      build: async ({ recipe, cacheDirectory = '', maker: by }) => {
        const key = digestOf(recipe);
        const cache = new BaseCache(cacheDirectory, by);
        const make = async (scratch: string) => {
          await mkdir(join(scratch, 'root'));
          await writeFile(join(scratch, 'root/file'), JSON.stringify(recipe));
          await mkdir(join(cache.rootDirectory(key), 'etc'), { recursive: true });
          return { content: { folder: join(scratch, 'root'), prefix: '', isKept: () => true, removed: [], beganSeconds: 0 }, packages: [] };
        };
        const { layer, packages } = await cache.findOrMake(key, 'release', make, undefined);
        return { key, layers: [layer], packages };
      },
    },
  });
  opened.push(fixture);
  const bases = join(fixture.directory, 'bases');
  const left = async () => Promise.all(['parts', 'layers', 'roots'].map(async (folder) => (await readdir(join(bases, folder))).length));
  return { ...fixture, bases, left };
}

const service = { project: 'p_1', type: someType({ kind: 'service' }), application: undefined };

async function basesAfter(builder: LocalImageBuilder, needed = nothing): Promise<readonly Pick<GarbageItem, 'action' | 'why'>[]> {
  const items = await builder.collect(await builder.garbage(() => needed));
  return items.filter(({ kind }) => kind === 'base').map(({ action, why }) => ({ action, why }));
}

test('a base stays while an image that stays has it, and goes whole when none does', async () => {
  const { builder, left } = await server('me');
  const { image } = await builder.build(service, silent);
  const needed = { manifests: new Map([[image.manifest, 'live in main']]), projects: new Set<string>() };
  assert.deepEqual(await basesAfter(builder, needed), [{ action: 'keep', why: 'images that stay have it' }]);
  assert.deepEqual(await left(), [1, 1, 1]);
  assert.deepEqual(await basesAfter(builder), [{ action: 'delete', why: 'no image that stays has it' }]);
  assert.deepEqual(await left(), [0, 0, 0]);
  assert.deepEqual((await builder.build(service, silent)).image, image);
  assert.deepEqual(await left(), [1, 1, 1]);
});

test('what another server made, or nobody said who, is left alone', async () => {
  const { restart, builder, left } = await server('another');
  await builder.build(service, silent);
  const me = await restart({ maker: 'me' });
  assert.deepEqual(await basesAfter(me), [{ action: 'keep', why: 'this server did not make it' }]);
  assert.deepEqual(await left(), [1, 1, 1]);
});

test('what we made and another server took in as well stays', async () => {
  const { builder, bases, directory, left } = await server('me');
  await builder.build(service, silent);
  const [layer = ''] = await readdir(join(bases, 'layers'));
  await link(join(bases, 'layers', layer), join(directory, 'store-of-another-server'));
  assert.deepEqual(await basesAfter(builder), [{ action: 'keep', why: 'another server uses it' }]);
  await rm(join(directory, 'store-of-another-server'));
  await basesAfter(builder);
  assert.deepEqual(await left(), [0, 0, 0]);
});

test('nothing goes while a base is being made or taken in by whatever server', async () => {
  const { builder, bases, left } = await server('me');
  await builder.build(service, silent);
  await new BaseCache(bases).whileStaying(async () => {
    assert.deepEqual(await basesAfter(builder), [{ action: 'keep', why: 'it came into use meanwhile' }]);
  });
  assert.deepEqual(await left(), [1, 1, 1]);
  await basesAfter(builder);
  assert.deepEqual(await left(), [0, 0, 0]);
});

test('a part whose layer is gone already goes too, and a record that is none is passed over', async () => {
  const { builder, bases, left } = await server('me');
  await builder.build(service, silent);
  const [layer = ''] = await readdir(join(bases, 'layers'));
  await rm(join(bases, 'layers', layer));
  await writeFile(join(bases, 'parts', `${'0'.repeat(64)}.json`), '{"v":1,');
  await basesAfter(builder);
  assert.deepEqual(await left(), [1, 0, 0]);
});
