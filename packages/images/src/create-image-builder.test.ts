import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import type { BuildRequest } from './image-builder.ts';
import { type BuildFixture, buildFixture, someRequest, someType } from './testing/build-fixture.ts';
import { type FakeCommand, FakeSandbox } from './testing/fake-sandbox.ts';
import { MemorySource } from './testing/memory-source.ts';
import { readImage } from './testing/read-layer.ts';

const silent = { onProgress: () => undefined };
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

const install: FakeCommand = async (app) => {
  await mkdir(join(app, 'node_modules'), { recursive: true });
  await writeFile(join(app, 'node_modules/dep.js'), `for ${await readFile(join(app, 'package.json'), 'utf8')}`);
  return 0;
};
const listing: FakeCommand = async (app, run) => {
  run.onOutput((await readdir(app)).sort().join(' '));
  return 0;
};
const npmStep = { run: 'npm ci', inputs: ['package.json', 'package-lock.json'] };
const files = {
  'package.json': '{}',
  'server.js': 'v1',
  'lib/a.js': 'a',
  in: { link: 'server.js' },
  'run.sh': { run: '#!/bin/sh' },
} as const;
const sourceLayer = ['app/', 'app/in -> server.js', 'app/lib/', 'app/lib/a.js=a', 'app/package.json={}', 'app/run.sh=#!/bin/sh'];

test('an application without steps goes from source to image without a sandbox', async () => {
  const { builder, store, sandbox } = await fixtureWith({});
  const request = someRequest({ source: new MemorySource(files), files: { '/etc/static.conf': 'root /app' } });
  const before = await builder.look(request);
  assert.equal(before.image, undefined);
  const built = await builder.build(request, silent);
  assert.equal(built.built, true);
  assert.equal(built.key, before.key);
  assert.deepEqual(await readImage(store, built.image.manifest), [
    [],
    ['etc/', 'etc/passwd=app:x:1000:1000::/app:/bin/sh\n'],
    [...sourceLayer, 'app/server.js=v1'],
    ['etc/', 'etc/static.conf=root /app'],
  ]);
  assert.deepEqual(await builder.build(request, silent), { ...built, built: false });
  assert.deepEqual(sandbox.runs, []);
});

test('a service is its base and its files', async () => {
  const { builder, store } = await fixtureWith({});
  const built = await builder.build({ project: 'p_1', type: someType({ kind: 'service' }), application: undefined }, silent);
  assert.deepEqual(await readImage(store, built.image.manifest), [[], ['etc/', 'etc/passwd=app:x:1000:1000::/app:/bin/sh\n']]);
  const record = await store.lookup('image', built.key);
  const base = record && (await store.lookup('base', record.base));
  assert.deepEqual(base?.packages, [{ name: 'libc6', version: '2.36', source: 'glibc' }]);
});

test('the key holds what decides about the image, and neither project nor host', async () => {
  const { builder } = await fixtureWith({});
  const request = someRequest({ source: new MemorySource(files), steps: [npmStep] });
  const application = request.application ?? assert.fail();
  const key = async (change: Partial<BuildRequest>) => (await builder.look({ ...request, ...change })).key;
  const same = await key({});
  assert.equal(await key({ project: 'p_2' }), same);
  assert.equal(await key({ type: someType({ readiness: { probe: { kind: 'alive', forMs: 5 }, everyMs: 1, withinMs: 1 } }) }), same);
  const others = await Promise.all([
    key({ application: { ...application, source: new MemorySource({ 'server.js': 'v2' }) } }),
    key({ application: { ...application, steps: [{ ...npmStep, inputs: undefined }] } }),
    key({ application: { ...application, variables: { NODE_ENV: 'test' } } }),
    key({ application: { ...application, files: { '/a': 'b' } } }),
    key({ type: someType({ files: {} }) }),
    key({ type: someType({ base: { debian: 'trixie', packages: [], npm: [], prepare: [], setup: [] } }) }),
  ]);
  assert.equal(new Set([same, ...others]).size, 7);
});

test('a step with inputs sees those alone, and a change of code runs nothing and keeps its layer', async () => {
  const seen: string[] = [];
  const { builder, store, sandbox } = await fixtureWith({
    'npm ci': async (app, run) => {
      seen.push(...(await readdir(app)));
      return install(app, run);
    },
  });
  const first = await builder.build(someRequest({ source: new MemorySource(files), steps: [npmStep] }), silent);
  assert.deepEqual(seen, ['package.json']);
  const module = ['app/', 'app/node_modules/', 'app/node_modules/dep.js=for {}'];
  assert.deepEqual((await readImage(store, first.image.manifest)).slice(2), [module, [...sourceLayer, 'app/server.js=v1']]);
  const lines: string[] = [];
  const changed = someRequest({ source: new MemorySource({ ...files, 'server.js': 'v2' }), steps: [npmStep] });
  const second = await builder.build(changed, { onProgress: (line) => lines.push(line) });
  assert.deepEqual((await readImage(store, second.image.manifest)).slice(2), [module, [...sourceLayer, 'app/server.js=v2']]);
  assert.equal(sandbox.runs.length, 1);
  assert.deepEqual(lines, ['step 1 (npm ci): nothing it reads has changed']);
  const locked = someRequest({ source: new MemorySource({ ...files, 'package-lock.json': 'x' }), steps: [npmStep] });
  await builder.build(locked, silent);
  assert.equal(sandbox.runs.length, 2);
  const told = someRequest({ source: new MemorySource(files), steps: [npmStep], variables: { NODE_ENV: 'test' } });
  await builder.build(told, silent);
  assert.equal(sandbox.runs.length, 3);
});

test('a step without inputs sees source and earlier output, also where that output is only known as a layer', async () => {
  const { restart, store, sandbox } = await fixtureWith({
    'npm ci': install,
    ls: listing,
    bundle: async (app) => {
      await mkdir(join(app, 'dist'));
      await writeFile(join(app, 'dist/all.js'), 'all');
      await writeFile(join(app, 'server.js'), 'rewritten');
      await rm(join(app, 'lib'), { recursive: true });
      await rm(join(app, 'node_modules/dep.js'));
      return 0;
    },
  });
  const steps = [{ run: 'ls', inputs: undefined }, { run: 'bundle', inputs: undefined }, npmStep];
  const lines: string[] = [];
  const options = { onProgress: (line: string) => lines.push(line) };
  const onlyInstalled = someRequest({ source: new MemorySource(files), steps: [npmStep] });
  await (await restart()).build(onlyInstalled, silent);
  const built = await (await restart()).build(someRequest({ source: new MemorySource(files), steps }), options);
  assert.deepEqual((await readImage(store, built.image.manifest)).slice(3), [
    [...sourceLayer, 'app/server.js=v1'],
    [
      'app/',
      'app/dist/',
      'app/dist/all.js=all',
      'app/.wh.lib=',
      'app/node_modules/',
      'app/node_modules/.wh.dep.js=',
      'app/server.js=rewritten',
    ],
  ]);
  assert.deepEqual(lines, [
    'step 3 (npm ci): nothing it reads has changed',
    'step 1: ls',
    'in lib node_modules package.json run.sh server.js',
    'step 2: bundle',
  ]);
  assert.deepEqual(
    sandbox.runs.map((run) => run.argv[2]),
    ['npm ci', 'ls', 'bundle'],
  );
});

test('an input of one step is not there for the next, unless it declares it', async () => {
  const { builder, sandbox } = await fixtureWith({ 'npm ci': install, ls: listing });
  const lines: string[] = [];
  const steps = [npmStep, { run: 'ls', inputs: ['lib/**'] }];
  await builder.build(someRequest({ source: new MemorySource(files), steps }), { onProgress: (line) => lines.push(line) });
  assert.deepEqual(lines.at(-1), 'lib node_modules');
  assert.equal(sandbox.runs.length, 2);
});

test('links that a step made are never followed on the host', async () => {
  const outside = await buildFixture(new FakeSandbox({}));
  opened.push(outside);
  const { builder, store } = await fixtureWith({
    trap: async (app) => {
      await symlink(outside.directory, join(app, 'lib'));
      await symlink(join(outside.directory, 'written'), join(app, 'server.js'));
      return 0;
    },
    ls: listing,
  });
  const before = await readdir(outside.directory);
  const steps = [
    { run: 'trap', inputs: [] },
    { run: 'ls', inputs: undefined },
  ];
  const built = await builder.build(someRequest({ source: new MemorySource(files), steps }), silent);
  assert.deepEqual(await readdir(outside.directory), before);
  assert.deepEqual((await readImage(store, built.image.manifest))[2], [
    'app/',
    `app/lib -> ${outside.directory}`,
    `app/server.js -> ${join(outside.directory, 'written')}`,
  ]);
});

test('the sandbox gets limits, the user, caches, and what the host and the application say', async () => {
  const { directory, sandbox, restart, ensured } = await fixtureWith({ 'npm ci': install });
  const builder = await restart({
    hostSettings: async () => ({
      variables: { HTTPS_PROXY: 'http://u:hunter22@proxy' },
      mounts: [{ target: '/etc/ssl/ca', hostPath: '/ca', readOnly: true }],
      secrets: ['hunter22'],
    }),
  });
  const built = await builder.build(someRequest({ source: new MemorySource(files), steps: [npmStep], variables: { A: '1' } }), silent);
  const run = sandbox.runs[0] ?? assert.fail();
  assert.deepEqual(ensured.length, 1);
  assert.notDeepEqual(ensured[0], built.image);
  assert.deepEqual([run.argv, run.user, run.workingDirectory], [['/bin/sh', '-ec', 'npm ci'], '1000:1000', '/app']);
  assert.deepEqual(run.variables, {
    HTTPS_PROXY: 'http://u:hunter22@proxy',
    HOME: '/tmp',
    TMPDIR: '/var/tmp',
    npm_config_cache: '/cache/npm',
    A: '1',
  });
  assert.deepEqual(
    run.mounts.map(({ target, readOnly }) => [target, readOnly]),
    [
      ['/app', false],
      ['/var/tmp', false],
      ['/cache/npm', false],
      ['/etc/ssl/ca', true],
    ],
  );
  const cache = run.mounts[2]?.hostPath ?? '';
  assert.ok(cache.startsWith(join(directory, 'disks/cache/p_1/nodejs')));
  assert.ok(!JSON.stringify([await builder.look(someRequest({ source: new MemorySource(files) })), built]).includes('hunter22'));
});

test('ten callers at once cause one build; one that gives up stops nobody', async () => {
  const door = Promise.withResolvers<void>();
  const { builder, sandbox } = await fixtureWith({
    'npm ci': async (app, run) => {
      await door.promise;
      return install(app, run);
    },
  });
  const request = someRequest({ source: new MemorySource(files), steps: [npmStep] });
  const impatient = new AbortController();
  const gone = builder.build(request, { ...silent, signal: impatient.signal });
  const patient = Promise.all(Array.from({ length: 9 }, () => builder.build(request, silent)));
  impatient.abort();
  await assert.rejects(gone, (error) => isCoppiceError(error, 'cancelled'));
  door.resolve();
  const images = await patient;
  assert.equal(new Set(images.map((built) => built.image.manifest)).size, 1);
  assert.equal(sandbox.runs.length, 1);
});

test('when all give up the command is ended and the scratch folder is gone', async () => {
  const started = Promise.withResolvers<void>();
  const { builder, directory, sandbox } = await fixtureWith({
    'npm ci': async () => {
      started.resolve();
      return new Promise(() => undefined);
    },
  });
  const controller = new AbortController();
  const build = builder.build(someRequest({ source: new MemorySource(files), steps: [npmStep] }), { ...silent, signal: controller.signal });
  await started.promise;
  controller.abort();
  await assert.rejects(build, (error) => isCoppiceError(error, 'cancelled'));
  assert.equal(sandbox.runs[0]?.signal?.aborted, true);
  const deadline = Date.now() + 5000;
  const left = () => readdir(join(directory, 'disks/folders'));
  while ((await left()).length > 0) assert.ok(Date.now() < deadline, 'the scratch folder stays');
});
