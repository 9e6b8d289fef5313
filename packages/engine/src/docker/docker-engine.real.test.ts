import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type { ImagePin, ObservedInstance } from '@coppice/model';
import type { GenerationSpec } from '../engine.ts';
import { digest, environment, generationSpec } from '../testing/specs.ts';
import { tinyImage } from '../testing/tiny-image.ts';
import { createContainer, removeContainer } from './container-lifecycle.ts';
import { DockerConnection } from './docker-connection.ts';
import type { DockerEngine } from './docker-engine.ts';
import { createDockerEngine } from './docker-engine.ts';
import { instanceLabels, instanceName } from './labels.ts';

const serverId = `real${process.pid}`;
const connection = new DockerConnection(process.env['DOCKER_HOST']);
const owner = environment('e_real');
let state: string;
let engine: DockerEngine;
let image: ImagePin;

function bind(change: { readonly serverId?: string; readonly dockerHost?: string } = {}): DockerEngine {
  return createDockerEngine({
    serverId,
    dockerHost: process.env['DOCKER_HOST'],
    registry: { address: () => '127.0.0.1:1', token: 'not a secret' },
    stateDirectory: state,
    ...change,
  });
}

function generation(change: Partial<GenerationSpec> = {}): GenerationSpec {
  return generationSpec(image, { environment: owner, ...change });
}

async function startOne(change: Partial<GenerationSpec> = {}): Promise<ObservedInstance> {
  const [instance] = (await engine.startGeneration(generation(change))).instances;
  assert.ok(instance !== undefined);
  return instance;
}

async function shell(instance: ObservedInstance, script: string): Promise<string> {
  const { stdout, stderr } = await engine.exec(instance.id, { argv: ['/bin/sh', '-c', script], timeoutMs: 10_000 });
  return (stdout + stderr).trim();
}

before(async () => {
  state = await mkdtemp(join(tmpdir(), 'coppice-engine-'));
  engine = bind();
  image = await tinyImage();
  await engine.ensureNetwork(owner);
});

after(async () => {
  await engine.removeServer();
  engine.close();
  connection.close();
  await rm(state, { recursive: true });
});

test('an engine that is not there is named with what to do', async () => {
  const missing = bind({ dockerHost: 'unix:///nowhere/docker.sock' });
  await assert.rejects(missing.probe(), {
    code: 'engine-unreachable',
    message: 'no container engine answers at /nowhere/docker.sock (there is no such socket)',
  });
  await assert.rejects(missing.list(), { code: 'engine-unreachable' });
  const { name, directory } = await engine.probe();
  assert.deepEqual([name, directory !== undefined && existsSync(directory)], ['docker', true]);
});

test('an engine that hangs up in the middle of a listing is unreachable, not empty', async () => {
  const socket = join(state, 'rude.sock');
  const rude = createServer((client) => client.once('data', () => client.destroy())).listen(socket);
  const bound = bind({ dockerHost: `unix://${socket}` });
  await assert.rejects(bound.inspect(owner), { code: 'engine-unreachable' });
  bound.close();
  rude.close();
});

test('a DOCKER_HOST that is no local socket is refused', () => {
  assert.throws(() => bind({ dockerHost: 'tcp://10.0.0.1:2375' }), { code: 'invalid-request', message: /must be a local unix socket/ });
});

test('the engine proves to be on this host', async () => {
  await engine.verifyLocal();
});

test('a container whose creation was not answered is adopted by its labels', async () => {
  const spec = generation({ digest: digest('lost') });
  const labels = instanceLabels(serverId, { ...spec, index: 0, address: '' });
  const config = { Image: image.config, Cmd: ['/bin/sleep', '1000'], Labels: labels };
  const lost = await createContainer(connection, instanceName(serverId, spec, 0), config);
  assert.equal(await createContainer(connection, instanceName(serverId, spec, 0), config), lost);
  const [adopted] = (await engine.startGeneration(spec)).instances;
  assert.equal(adopted?.id, lost);
  await engine.stopGeneration(spec, spec.stop);
});

test('a foreign container that has our name is left alone and named', async () => {
  const spec = generation({ digest: digest('foreign') });
  const name = instanceName(serverId, spec, 0);
  const foreign = await createContainer(connection, name, { Image: image.config, Cmd: ['/bin/true'], Labels: {} });
  try {
    await assert.rejects(engine.startGeneration(spec), { code: 'engine-failed', message: new RegExp(`not ours has the name ${name}`) });
    await engine.stopGeneration(spec, spec.stop);
    await assert.rejects(engine.removeInstances(owner, [foreign], spec.stop), { code: 'not-allowed' });
  } finally {
    await removeContainer(connection, foreign);
  }
});

test('what another server runs is neither seen nor touched', async () => {
  const other = bind({ serverId: `${serverId}b` });
  try {
    await startOne();
    assert.deepEqual(await other.inspect(owner), { network: false, generations: [], jobs: [] });
    await other.stopGeneration(generation(), generation().stop);
    await other.removeServer();
    assert.equal((await engine.inspect(owner)).generations.length, 1);
  } finally {
    other.close();
    await engine.stopGeneration(generation(), generation().stop);
  }
});

test('an instance can write to its mounts and tmpfs and nowhere else, and holds no privilege', async () => {
  const [writable, fixed] = [await mkdtemp(join(state, 'w-')), await mkdtemp(join(state, 'r-'))];
  await writeFile(join(fixed, 'file'), 'kept');
  const instance = await startOne({
    digest: digest('confined'),
    user: '0:0',
    variables: { PATH: '/bin', GREETING: 'a b $c' },
    hosts: { 'db.internal': '10.216.0.9' },
    mounts: [
      { target: '/data', hostPath: writable, readOnly: false },
      { target: '/fixed', hostPath: fixed, readOnly: true },
    ],
  });
  const said = await shell(
    instance,
    'for f in /x /data/x /fixed/x /tmp/x; do touch $f 2>/dev/null && echo $f; done; cat /fixed/file; echo; echo "$GREETING"; ' +
      'tail -n 1 /etc/hosts | tr "\\t" " "; cat /proc/self/status | while read k v; do case $k in CapEff:|NoNewPrivs:|Seccomp:) echo $k $v;; esac; done; ls /proc/sys/net/ipv6/conf; ',
  );
  const lines = said.split('\n');
  assert.deepEqual(lines.slice(0, 3), ['/data/x', '/tmp/x', 'kept']);
  assert.ok(lines.includes('a b $c') && lines.includes('CapEff: 0000000000000000') && lines.includes('NoNewPrivs: 1'));
  assert.match(await shell(instance, 'cat /etc/hosts'), /10\.216\.0\.9\s+db\.internal/);
  await engine.stopGeneration(generation({ digest: digest('confined') }), generation().stop);
});

test('an instance that takes too much memory is ended and told so', async () => {
  const argv = ['/bin/dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'];
  const spec = generation({ digest: digest('hungry'), argv });
  await engine.startGeneration(spec);
  const deadline = performance.now() + 15_000;
  let found: ObservedInstance | undefined;
  while (found?.state !== 'exited' && performance.now() < deadline) {
    found = (await engine.inspect(owner)).generations.find((item) => item.digest === spec.digest)?.instances[0];
  }
  assert.deepEqual([found?.state, found?.exitCode, found?.outOfMemory], ['exited', 137, true]);
  await engine.stopGeneration(spec, spec.stop);
});

test('a program that is not in the image ends at once, and its output says so', async () => {
  const spec = generation({ digest: digest('typo'), argv: ['/bin/nodejs'] });
  const [started] = (await engine.startGeneration(spec)).instances;
  const lines: string[] = [];
  for await (const line of engine.logs(started?.id ?? '', { follow: true, signal: AbortSignal.timeout(10_000) })) lines.push(line.text);
  assert.match(lines.join('\n'), /\/bin\/nodejs.*No such file/);
  const [ended] = (await engine.inspect(owner)).generations.flatMap((found) => (found.digest === spec.digest ? found.instances : []));
  assert.deepEqual([ended?.state, ended?.exitCode], ['exited', 127]);
  await engine.stopGeneration(spec, spec.stop);
});

test('an instance gets its signal and its grace before it is killed', async () => {
  const polite = generation({
    digest: digest('polite'),
    argv: ['/bin/sh', '-c', 'trap "echo bye; exit 0" TERM; echo up; while true; do sleep 0.05; done'],
    stop: { signal: 'SIGTERM', graceMs: 5000 },
  });
  const [instance] = (await engine.startGeneration(polite)).instances;
  const lines: string[] = [];
  let stopping: Promise<void> | undefined;
  const reading = (async () => {
    for await (const line of engine.logs(instance?.id ?? '', { follow: true })) {
      lines.push(line.text);
      if (line.text === 'up') stopping = engine.stopGeneration(polite, polite.stop);
    }
  })();
  await reading;
  await stopping;
  assert.deepEqual(lines, ['up', 'bye']);
  const deaf = generation({ digest: digest('deaf'), argv: ['/bin/sh', '-c', 'trap "" TERM; while true; do sleep 0.05; done'] });
  await engine.startGeneration(deaf);
  const begin = performance.now();
  await engine.stopGeneration(deaf, { signal: 'SIGTERM', graceMs: 300 });
  const took = performance.now() - begin;
  assert.ok(took >= 300 && took < 5000, `${took} ms`);
});

test('logs are cut into lines of at most 64 KiB with their stream, and following ends when called off', async () => {
  const instance = await startOne({
    digest: digest('talk'),
    argv: ['/bin/sh', '-c', 'echo é; dd if=/dev/zero bs=100000 count=1 2>/dev/null | tr "\\0" x; echo; echo oops >&2; exec sleep 1000'],
  });
  const stop = new AbortController();
  const seen: (readonly [string, string])[] = [];
  for await (const line of engine.logs(instance.id, { follow: true, signal: stop.signal })) {
    seen.push([line.stream, line.text]);
    if (seen.length === 3) stop.abort();
  }
  assert.deepEqual(seen.sort(), [
    ['stderr', 'oops'],
    ['stdout', 'x'.repeat(64 * 1024)],
    ['stdout', 'é'],
  ]);
  await engine.stopGeneration(generation({ digest: digest('talk') }), generation().stop);
  await assert.rejects(engine.logs(instance.id, {})[Symbol.asyncIterator]().next(), { code: 'not-found' });
});

test('a command gets its input and gives code and output; one that hangs is killed; endless output is cut', async () => {
  const instance = await startOne({ digest: digest('exec') });
  assert.deepEqual(
    await engine.exec(instance.id, { argv: ['/bin/sh', '-c', 'cat; echo no >&2; exit 4'], input: 'hello', user: '7:7', timeoutMs: 5000 }),
    { exitCode: 4, stdout: 'hello', stderr: 'no\n' },
  );
  await assert.rejects(engine.exec(instance.id, { argv: ['/bin/sleep', '777'], timeoutMs: 300 }), { code: 'limit-exceeded' });
  assert.doesNotMatch(await shell(instance, 'ps'), /sleep 777/);
  const long = await engine.exec(instance.id, { argv: ['/bin/head', '-c', '3000000', '/dev/zero'], timeoutMs: 10_000 });
  assert.deepEqual([long.exitCode, long.stdout.length], [0, 1024 * 1024]);
  await engine.stopGeneration(generation({ digest: digest('exec') }), generation().stop);
});

test('a terminal can be attached and resized, and pipes keep the streams apart', async () => {
  const instance = await startOne({ digest: digest('tty') });
  const terminal = await engine.attach(instance.id, {
    argv: ['/bin/sh', '-c', 'read x; test -t 0 && echo "tty $x"; exit 5'],
    terminal: { columns: 80, rows: 24 },
  });
  await terminal.resize(100, 30);
  terminal.input.write('hi\n');
  assert.match(await text(terminal.stdout), /tty hi/);
  assert.equal(await terminal.exitCode(), 5);
  const pipes = await engine.attach(instance.id, { argv: ['/bin/sh', '-c', 'cat; echo err >&2'], terminal: undefined });
  pipes.input.end('data');
  assert.deepEqual(await Promise.all([text(pipes.stdout), text(pipes.stderr), pipes.exitCode()]), ['data', 'err\n', 0]);
  await engine.stopGeneration(generation({ digest: digest('tty') }), generation().stop);
});

test('a pull that fails says what and why, without the token', async () => {
  const pin: ImagePin = { manifest: digest('none'), config: digest('nope') };
  await assert.rejects(engine.ensureImage(pin), (error: Error) => {
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, /not a secret/);
    return true;
  });
});

test('everything of the server goes when it is taken down, also twice', async () => {
  await startOne();
  await engine.removeServer();
  await engine.removeServer();
  assert.deepEqual(await engine.list(), new Map());
});
