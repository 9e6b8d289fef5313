import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { loadCatalog, type ResolvedType } from '@coppice/catalog';
import { createDockerEngine, createDockerSandbox } from '@coppice/engine';
import { type Digest, isCoppiceError } from '@coppice/model';
import type { BuildLimits } from './build/build-limits.ts';
import { createImageBuilder } from './create-image-builder.ts';
import { openBuildDisks } from './disk/open-build-disks.ts';
import type { ApplicationBuild, BuildRequest, LocalImageBuilder } from './image-builder.ts';
import { createRegistryHandler } from './registry/registry-handler.ts';
import { openOciStore } from './store/oci-store.ts';
import { MemorySource } from './testing/memory-source.ts';
import { readImage } from './testing/read-layer.ts';

const directory = await mkdtemp(join(tmpdir(), 'coppice-real-'));
const store = await openOciStore(join(directory, 'images'));
const handler = createRegistryHandler({ store, token: 'secret' });
const server = createServer((request, response) => void handler(request, response));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const registry = { address: () => `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, token: 'secret' };
const options = { serverId: `im${process.pid}`, dockerHost: process.env['DOCKER_HOST'], registry, stateDirectory: directory };
const engine = createDockerEngine(options);
const sandbox = createDockerSandbox(options);

after(async () => {
  await engine.removeServer();
  sandbox.close();
  engine.close();
  server.close();
  await openBuildDisks(join(directory, 'disks'));
  await rm(directory, { recursive: true, force: true });
});

function builderWith(limits: Partial<BuildLimits> = {}): LocalImageBuilder {
  return createImageBuilder({ directory, store, sandbox, ensureImage: engine.ensureImage, limits });
}

function nodejs(): ResolvedType {
  const type = loadCatalog().resolve({ name: 'nodejs', version: '24' }, 'exact');
  if ('severity' in type) throw new Error(type.message);
  return type;
}

const builder = builderWith();
const integrity = 'sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==';
const lock = {
  name: 'app',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: { '': { name: 'app', version: '1.0.0', dependencies: { ms: '2.1.3' } }, 'node_modules/ms': { version: '2.1.3', integrity } },
};
const files = {
  'package.json': JSON.stringify({ name: 'app', version: '1.0.0', dependencies: { ms: '2.1.3' } }),
  'package-lock.json': JSON.stringify(lock),
  'server.js': 'console.log("v1")',
};
const npmStep = { run: 'npm ci --ignore-scripts', inputs: ['package.json', 'package-lock.json', '.npmrc'] };

function request(change: Partial<ApplicationBuild>): BuildRequest {
  const application = { source: new MemorySource(files), steps: [], variables: {}, files: {}, ...change };
  return { project: 'p_1', type: nodejs(), application };
}

async function failure(build: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  const error = await build.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isCoppiceError(error)) throw error ?? new Error('the build should have failed');
  return { code: error.code, message: error.message };
}

async function timed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const started = performance.now();
  const result = await work();
  process.stdout.write(`# ${name}: ${(performance.now() - started).toFixed(0)} ms\n`);
  return result;
}

test('npm ci installs from the registry of the host into a layer of its own, and a change of code keeps it', async () => {
  const lines: string[] = [];
  const say = { onProgress: (line: string) => lines.push(line) };
  const steps = [npmStep, { run: "node -p \"require('ms')('2 days')\" && ls -a", inputs: undefined }];
  await timed('base taken in, sandbox image pulled', () => builder.build(request({ steps: [{ run: 'true', inputs: [] }] }), say));
  const first = await timed('npm ci and a second step', () => builder.build(request({ steps }), say));
  assert.ok(lines.includes('172800000'), lines.join('\n'));
  const installed = (await readImage(store, first.image.manifest)).at(-2) ?? [];
  const second = await timed('npm ci known, one step run', () =>
    builder.build(request({ steps, source: new MemorySource({ ...files, 'server.js': 'console.log("v2")' }) }), say),
  );
  const names = (await readImage(store, second.image.manifest)).map((layer) => layer.length);
  assert.ok(names.length >= 4 && installed.length > 0);
  const [one, two] = await Promise.all([store.manifest(first.image.manifest), store.manifest(second.image.manifest)]);
  assert.deepEqual(one?.layers.slice(0, -1), two?.layers.slice(0, -1));
  assert.notDeepEqual(one?.layers.at(-1), two?.layers.at(-1));
  assert.ok(lines.includes('step 1 (npm ci --ignore-scripts): nothing it reads has changed'));
});

test('the built image runs, read-only, with its modules', async () => {
  const { image } = await builder.build(request({ steps: [npmStep] }), { onProgress: () => undefined });
  await engine.ensureImage(image);
  const run = ['run', '--rm', '--read-only', '--network=none', '--user=1000:1000', '--workdir=/app', image.config];
  const { stdout } = await promisify(execFile)('docker', [...run, 'node', '-e', 'console.log(require("ms")("1s"))']);
  assert.equal(stdout, '1000\n');
});

test('settings of the host are in no layer, key or record', async () => {
  const steps = [{ run: 'env > env.txt; test -s /etc/ssl/certs/ca-certificates.crt; rm env.txt', inputs: undefined }];
  const built = await builder.build(request({ steps }), { onProgress: () => undefined });
  const text = JSON.stringify([built, await store.lookup('image', built.key)]);
  const settings = await readFile(store.path(built.image.config), 'utf8');
  assert.ok(!/proxy|ca-certificates|registry/i.test(text.replace(/env > env.txt[^"]*/g, '') + settings), text);
});

test('what was collected from store and engine is built, pulled and run again; what is needed stays as it is', async () => {
  const silent = { onProgress: () => undefined };
  const kept = await builder.build(request({ steps: [npmStep] }), silent);
  const other = request({ steps: [npmStep], source: new MemorySource({ ...files, 'server.js': 'console.log("v3")' }) });
  const gone = await builder.build(other, silent);
  for (const { image } of [kept, gone]) await engine.ensureImage(image);
  const collect = async (needed: ReadonlyMap<Digest, string>, configurations: ReadonlySet<Digest>): Promise<void> => {
    const own = await engine.ownImages();
    await builder.collect(await builder.garbage(() => ({ manifests: needed, projects: new Set(['p_1']) })));
    const chosen = own.images.map(({ config }) => config).filter((config) => !configurations.has(config));
    await engine.removeImages(own, new Set(chosen));
  };
  await collect(new Map([[kept.image.manifest, 'live']]), new Set([kept.image.config]));
  assert.deepEqual(await engine.presentImages([kept.image, gone.image]), new Set([kept.image.config]));
  assert.deepEqual(await builder.build(request({ steps: [npmStep] }), silent), { ...kept, built: false });
  // the layer of npm ci is one of the kept image
  assert.deepEqual(await builder.build(other, silent), gone);
  await engine.ensureImage(gone.image);

  await collect(new Map(), new Set());
  assert.deepEqual([await engine.presentImages([kept.image, gone.image]), await store.blobs()], [new Set(), []]);
  const { image } = await builder.build(other, silent);
  await engine.ensureImage(image);
  assert.deepEqual(await engine.presentImages([image]), new Set([image.config]));
});

test('a build that writes 10 GB ends at its disk, and nothing of it stays mounted', async () => {
  const small = builderWith({ diskBytes: 200 * 1024 ** 2 });
  const steps = [{ run: 'dd if=/dev/zero of=big bs=1M count=10240', inputs: undefined }];
  const { code, message } = await failure(small.build(request({ steps }), { onProgress: () => undefined }));
  assert.equal(code, 'build-limit');
  assert.match(message, /wrote more than the 200 MiB of disk/);
  assert.ok(!(await readFile('/proc/self/mountinfo', 'utf8')).includes(directory));
});

test('a build that fails, hangs, forks without end or prints 100 MB gets a clear end', async () => {
  const small = { processes: 64, memoryBytes: 256 * 1024 ** 2 };
  const quick = builderWith({ ...small, timeMs: 3000 });
  // for what ends by itself or by another limit, however busy the machine is
  const patient = builderWith(small);
  const lines: string[] = [];
  const ends = async (run: string, builder = quick) =>
    failure(builder.build(request({ steps: [{ run, inputs: undefined }] }), { onProgress: (line) => lines.push(line) }));
  const failed = await ends('echo before; false', patient);
  assert.deepEqual(failed, { code: 'build-failed', message: 'build step 1 (echo before; false) failed with exit code 1\n    before' });
  assert.match((await ends('sleep 1000')).message, /build step 1 \(sleep 1000\).*longer than 3 s/);
  assert.equal((await ends('f() { f | f & }; f; sleep 1000')).code, 'build-limit');
  const eats = 'node -e "const a=[]; for(;;) a.push(Buffer.alloc(1e7, 1))"';
  assert.deepEqual((await ends(eats)).code, 'build-limit');
  lines.length = 0;
  const flood = await ends('head -c 100000000 /dev/zero | tr "\\0" "x" | fold -w 100', patient);
  assert.equal(flood.code, 'build-limit');
  assert.match(flood.message, /printed more than/);
  assert.ok(lines.join('\n').length < 1.1 * 1024 ** 2);
});
