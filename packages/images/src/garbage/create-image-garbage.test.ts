import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Digest, ImagePin } from '@coppice/model';
import type { BuildRequest, BuiltImage } from '../image-builder.ts';
import type { OciStore } from '../store/oci-store.ts';
import { type BuildFixture, buildFixture, someRequest } from '../testing/build-fixture.ts';
import { type FakeCommand, FakeSandbox } from '../testing/fake-sandbox.ts';
import { folderContent } from '../testing/folder-content.ts';
import { MemorySource } from '../testing/memory-source.ts';
import { diceOf } from '../testing/random-store.ts';
import type { GarbageItem, ImageGarbage, Needed } from './image-garbage.ts';

const silent = { onProgress: () => undefined };
const nothing: Needed = { manifests: new Map(), projects: new Set() };
const opened: BuildFixture[] = [];
after(async () => {
  for (const fixture of opened) await fixture.remove();
});

async function fixtureWith(commands: Readonly<Record<string, FakeCommand>>) {
  const sandbox = new FakeSandbox(commands);
  const fixture = await buildFixture(sandbox);
  opened.push(fixture);
  return { ...fixture, sandbox };
}

async function sweep(images: ImageGarbage, needed: Needed = nothing): Promise<readonly GarbageItem[]> {
  return images.collect(await images.garbage(() => needed));
}

function need(...built: readonly BuiltImage[]): Needed {
  return { manifests: new Map(built.map(({ image }) => [image.manifest, 'live in main'])), projects: new Set(['p_1']) };
}

async function isComplete(images: ImageGarbage, image: ImagePin): Promise<boolean> {
  return (await images.complete([image])).has(image.manifest);
}

const install: FakeCommand = async (app) => {
  await mkdir(join(app, 'node_modules'), { recursive: true });
  await writeFile(join(app, 'node_modules/dep.js'), `for ${await readFile(join(app, 'package.json'), 'utf8')}`);
  return 0;
};
const idle: FakeCommand = async () => 0;
const steps = [
  { run: 'npm ci', inputs: ['package.json'] },
  { run: 'lint', inputs: undefined },
];

function request(version: string): BuildRequest {
  return someRequest({ source: new MemorySource({ 'package.json': '{}', 'server.js': version }), steps });
}

test('a needed image is found again byte for byte, one that is not is built again', async () => {
  const { builder, store, sandbox, directory } = await fixtureWith({ 'npm ci': install, lint: idle });
  const [one, two] = [await builder.build(request('v1'), silent), await builder.build(request('v2'), silent)];
  const before = await folderContent(join(directory, 'images'));
  const items = await sweep(builder, need(two));
  const left = await folderContent(join(directory, 'images'));
  for (const [path, digest] of left) assert.equal(before.get(path), digest);
  assert.deepEqual(
    items
      .filter(({ kind, action }) => kind === 'image' && action === 'delete')
      .map(({ id }) => id)
      .includes(one.image.manifest),
    true,
  );
  assert.equal(await isComplete(builder, one.image), false);
  assert.deepEqual(await builder.build(request('v2'), silent), { ...two, built: false });
  assert.equal(sandbox.runs.length, 3);
  assert.deepEqual(await builder.build(request('v1'), silent), one);
  // what the step with inputs made is in both images, and the step that changed nothing left with its image
  assert.deepEqual(
    sandbox.runs.map((run) => run.argv[2]),
    ['npm ci', 'lint', 'lint', 'lint'],
  );
  assert.equal(await store.verify(one.image.manifest), true);
});

test('all that a step which changed nothing was known by stays with its image', async () => {
  const { builder, sandbox } = await fixtureWith({ 'npm ci': idle, lint: idle });
  await sweep(builder, need(await builder.build(request('v1'), silent)));
  await builder.build(
    someRequest({ source: new MemorySource({ 'package.json': '{}', 'server.js': 'v1' }), steps, files: { '/a': 'b' } }),
    silent,
  );
  assert.equal(sandbox.runs.length, 2);
});

test('nothing needed and no build: the store is empty, and says why', async () => {
  const { builder, store, directory } = await fixtureWith({ 'npm ci': install, lint: idle });
  await builder.build(request('v1'), silent);
  const items = await sweep(builder);
  assert.deepEqual(
    new Set(items.map(({ kind, action }) => `${kind} ${action}`)),
    new Set(['build delete', 'image delete', 'layer delete', 'cache delete']),
  );
  assert.ok(items.every(({ why }) => why.length > 0));
  assert.deepEqual([...(await folderContent(join(directory, 'images'))).keys()], ['/index.json', '/oci-layout']);
  assert.deepEqual([await store.keys('image'), await store.keys('layer'), await store.keys('base')], [[], [], []]);
});

test('a build that runs keeps what it made and reused so far, and the image that its steps run in', async () => {
  const door = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const { builder, ensured } = await fixtureWith({
    'npm ci': install,
    lint: async () => {
      reached.resolve();
      await door.promise;
      return 0;
    },
  });
  const building = builder.build(request('v1'), silent);
  await reached.promise;
  assert.deepEqual(builder.running(), ensured);
  const during = await sweep(builder);
  assert.ok(during.some(({ kind, action, why }) => kind === 'image' && action === 'keep' && why === 'a build uses it'));
  assert.ok(during.some(({ kind, action, why }) => kind === 'cache' && action === 'keep' && why === 'a build uses it'));
  await sweep(builder);
  const hold = builder.hold();
  door.resolve();
  const built = await building;
  assert.equal(await isComplete(builder, built.image), true);
  hold.release();
  assert.deepEqual(builder.running(), []);
  await sweep(builder);
  assert.equal(await isComplete(builder, built.image), false);
});

test('under a hold what was built or found stays until the hold is released, whatever is needed', async () => {
  const { builder } = await fixtureWith({ 'npm ci': install, lint: idle });
  const old = await builder.build(request('v1'), silent);
  const hold = builder.hold();
  const fresh = await builder.build(request('v2'), silent);
  assert.equal(await isComplete(builder, old.image), true);
  await sweep(builder);
  assert.deepEqual(await builder.complete([old.image, fresh.image]), new Set([old.image.manifest, fresh.image.manifest]));
  hold.release();
  await sweep(builder);
  assert.deepEqual(await builder.complete([old.image, fresh.image]), new Set());
  const foreign = { manifest: old.image.manifest, config: old.image.config, foreign: 'example.org/tool@sha256:0' };
  assert.deepEqual(await builder.complete([foreign]), new Set([old.image.manifest]));
});

test('what came into use between the look and the deletion is spared, also while the needs were read', async () => {
  const { builder } = await fixtureWith({ 'npm ci': install, lint: idle });
  const first = await builder.build(request('v1'), silent);
  const found = await builder.garbage(() => nothing);
  assert.deepEqual(await builder.build(request('v1'), silent), { ...first, built: false });
  const left = await builder.collect(found);
  assert.ok(left.some(({ id, action, why }) => id === first.image.manifest && action === 'keep' && why === 'it came into use meanwhile'));
  assert.equal(await isComplete(builder, first.image), true);

  const whileReading = await builder.garbage(async () => {
    await builder.build(request('v1'), silent);
    return nothing;
  });
  await builder.collect(whileReading);
  assert.equal(await isComplete(builder, first.image), true);
});

test('a caller that joins a build at its very end, under a hold of its own, has a whole image', async () => {
  const door = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const fixture = await fixtureWith({ 'npm ci': install, lint: idle });
  const { store } = fixture;
  const slow: OciStore = Object.assign(Object.create(store) as OciStore, {
    record: async (...given: Parameters<OciStore['record']>) => {
      if (given[0] === 'image') {
        reached.resolve();
        await door.promise;
      }
      await store.record(...given);
    },
  });
  const builder = await fixture.restart({ store: slow });
  const leader = builder.build(request('v1'), silent);
  await reached.promise;
  const early = await builder.garbage(() => nothing);
  const hold = builder.hold();
  const joined = builder.build(request('v1'), silent);
  door.resolve();
  const [{ image }] = await Promise.all([joined, leader]);
  await builder.collect(early);
  await sweep(builder);
  assert.equal(await isComplete(builder, image), true);
  hold.release();
  await sweep(builder);
  assert.equal(await isComplete(builder, image), false);
});

test('builds and collections in any order: what a build answers is whole as long as it is held', async () => {
  const { builder } = await fixtureWith({ 'npm ci': install, lint: idle });
  const dice = diceOf(7);
  let answered = 0;
  let reused = 0;
  const build = async (): Promise<void> => {
    const hold = builder.hold();
    try {
      const built = await builder.build(request(`v${dice(3)}`), silent);
      for (let turns = dice(20); turns > 0; turns -= 1) await new Promise(setImmediate);
      assert.equal(await isComplete(builder, built.image), true);
      answered += 1;
      if (!built.built) reused += 1;
    } finally {
      hold.release();
    }
  };
  let ended = false;
  let deleted = 0;
  const collecting = (async () => {
    while (!ended) {
      deleted += (await sweep(builder)).filter(({ action }) => action === 'delete').length;
      await new Promise(setImmediate);
    }
  })();
  for (let round = 0; round < 12; round += 1) await Promise.all(Array.from({ length: 1 + dice(4) }, build));
  ended = true;
  await collecting;
  assert.ok(answered >= 12 && reused > 0 && deleted > 0, `${answered} answered, ${reused} reused, ${deleted} deleted`);
});

test('the package caches of projects that exist stay, others go with their folder', async () => {
  const { builder, directory } = await fixtureWith({ 'npm ci': install, lint: idle });
  const kept = await builder.build(request('v1'), silent);
  await builder.build({ ...request('v2'), project: 'p_2' }, silent);
  assert.deepEqual((await readdir(join(directory, 'disks/cache'))).sort(), ['p_1', 'p_2']);
  const items = await sweep(builder, need(kept));
  assert.deepEqual(
    items.filter(({ kind }) => kind === 'cache').map(({ id, action, why }) => [id, action, why]),
    [
      ['p_1/nodejs', 'keep', 'the package cache of project p_1'],
      ['p_2/nodejs', 'delete', 'there is no project p_2'],
    ],
  );
  assert.deepEqual(await readdir(join(directory, 'disks/cache')), ['p_1']);
});

test('what a build that died left goes; what is being written stays', async () => {
  const { builder, store, directory } = await fixtureWith({});
  await writeFile(join(directory, 'images/writing/1-1'), 'half a layer');
  await mkdir(join(directory, 'disks/folders/1-2/app'), { recursive: true });
  const door = Promise.withResolvers<void>();
  const putting = store.putBlob(
    (async function* () {
      yield Buffer.from('first');
      await door.promise;
      yield Buffer.from('second');
    })(),
  );
  const items = (await sweep(builder)).filter(({ kind }) => kind === 'leftover');
  assert.deepEqual(
    items.map(({ id, action }) => [id, action]),
    [
      ['builds/disks/1-2', 'delete'],
      ['images/writing/1-1', 'delete'],
    ],
  );
  assert.deepEqual(await readdir(join(directory, 'disks/folders')), []);
  door.resolve();
  assert.equal(await store.verify((await putting).digest), true);
});

test('a garbage list that somebody wrote by hand leads nowhere else', async () => {
  const { builder, directory } = await fixtureWith({});
  const built = await builder.build(someRequest({ source: new MemorySource({ a: 'b' }) }), silent);
  const before = await folderContent(directory);
  const item = (kind: GarbageItem['kind'], id: string): GarbageItem => ({ kind, id, bytes: 0, action: 'delete', why: '' });
  const { mark } = await builder.garbage(() => need(built));
  const ids = [
    '../../base.tar',
    'image ../base.tar',
    'sha256:../base.tar',
    'layer',
    '../base.tar',
    'images/writing/../../base.tar',
    'builds/disks/../../base.tar',
  ];
  const kinds = ['build', 'image', 'layer', 'base', 'cache', 'leftover'] as const;
  await builder.collect({ mark, items: kinds.flatMap((kind) => ids.map((id) => item(kind, id))) });
  assert.deepEqual(await folderContent(directory), before);
});

test('a pin of another store is not complete, and asking for it keeps nothing', async () => {
  const { builder } = await fixtureWith({});
  const digest = `sha256:${'0'.repeat(64)}` as Digest;
  assert.deepEqual(await builder.complete([{ manifest: digest, config: digest }]), new Set());
});
