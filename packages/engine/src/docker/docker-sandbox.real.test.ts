import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import type { ImagePin } from '@coppice/model';
import type { SandboxRun } from '../sandbox.ts';
import { tinyImage } from '../testing/tiny-image.ts';
import { DockerConnection } from './docker-connection.ts';
import { createDockerEngine } from './docker-engine.ts';
import { createDockerSandbox } from './docker-sandbox.ts';
import { commonLabels } from './labels.ts';
import { listContainers } from './observation.ts';

const serverId = `sb${process.pid}`;
const options = {
  serverId,
  dockerHost: process.env['DOCKER_HOST'],
  registry: { address: () => '127.0.0.1:1', token: '' },
  stateDirectory: '/tmp/coppice-test-state',
};
const sandbox = createDockerSandbox(options);
const connection = new DockerConnection(options.dockerHost);
let image: ImagePin;

before(async () => {
  image = await tinyImage();
});

after(async () => {
  const engine = createDockerEngine(options);
  await engine.removeServer();
  engine.close();
  connection.close();
  sandbox.close();
});

function build(
  script: string,
  change: Partial<SandboxRun> & { readonly limits?: SandboxRun['limits'] } = {},
): SandboxRun & { lines: string[] } {
  const lines: string[] = [];
  return {
    image,
    argv: ['/bin/sh', '-c', script],
    user: '1000:1000',
    workingDirectory: '/tmp',
    variables: { PATH: '/bin' },
    mounts: [],
    limits: { timeMs: 20_000, memoryBytes: 64 * 1024 * 1024, cpu: 1, processes: 64, outputBytes: 1024 * 1024 },
    onOutput: (line) => lines.push(line),
    lines,
    ...change,
  };
}

async function leftOvers(): Promise<number> {
  return (await listContainers(connection, commonLabels(serverId, 'build'))).length;
}

test('a command that fails is a result, with its output in whole lines', async () => {
  const run = build('echo one; echo two >&2; id; exit 3');
  const result = await sandbox.run(run);
  assert.deepEqual(
    { result, lines: run.lines.sort() },
    { result: { exitCode: 3, outOfMemory: false }, lines: ['one', 'two', 'uid=1000 gid=1000 groups=1000'] },
  );
  assert.equal(await leftOvers(), 0);
});

test('only /tmp may be written, without privileges', async () => {
  const run = build('touch /x; touch /tmp/y && echo tmp ok; cat /proc/self/status');
  await sandbox.run(run);
  assert.deepEqual(run.lines.filter((line) => /^(tmp|touch|CapEff|NoNew)/.test(line)).sort(), [
    'CapEff:\t0000000000000000',
    'NoNewPrivs:\t1',
    'tmp ok',
    'touch: /x: Read-only file system',
  ]);
});

test('a build that hangs is ended by its time limit', async () => {
  const run = build('sleep 1000', { limits: { ...build('').limits, timeMs: 700 } });
  await assert.rejects(sandbox.run(run), { code: 'build-limit', message: /^took longer than/ });
  assert.equal(await leftOvers(), 0);
});

test('a build that prints without end is ended by its output limit', async () => {
  const run = build('yes');
  await assert.rejects(sandbox.run(run), { code: 'build-limit', message: /^printed more than 1048576 bytes/ });
  assert.ok(run.lines.length > 1000 && run.lines.length <= 524_288);
  assert.equal(await leftOvers(), 0);
});

test('a build that takes too much memory is told so', async () => {
  const result = await sandbox.run(build('dd if=/dev/zero of=/dev/null bs=200M count=1'));
  assert.deepEqual(result, { exitCode: 137, outOfMemory: true });
});

test('a fork bomb stays in its box', async () => {
  const run = build('f() { f | f & }; f; sleep 1000', { limits: { ...build('').limits, timeMs: 2500, outputBytes: 64 * 1024 * 1024 } });
  await assert.rejects(sandbox.run(run), { code: 'build-limit' });
  assert.equal(await leftOvers(), 0);
});

test('a build that is called off ends for certain', async () => {
  const called = new AbortController();
  const run = build('echo up; sleep 1000', { signal: called.signal, onOutput: () => called.abort() });
  await assert.rejects(sandbox.run(run), { code: 'cancelled' });
  assert.equal(await leftOvers(), 0);
});

test('what a dead server left is swept away', async () => {
  const run = build('sleep 1000');
  const running = sandbox.run(run).catch((error: unknown) => error);
  const deadline = performance.now() + 10_000;
  while ((await leftOvers()) === 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  const restarted = createDockerSandbox(options);
  await restarted.sweep();
  restarted.close();
  assert.equal(await leftOvers(), 0);
  assert.notDeepEqual(await running, { exitCode: 0, outOfMemory: false });
});

test('builds at once do not see each other or the host', async () => {
  const listener = build('tail -n 1 /etc/hosts; nc -l -p 7000 -e /bin/echo seen', { limits: { ...build('').limits, timeMs: 6000 } });
  const address = new Promise<string>((resolve) => {
    const announced = { ...listener, onOutput: (line: string) => resolve(line.split(/\s/)[0] ?? '') };
    void sandbox.run(announced).catch((error: unknown) => error);
  });
  const neighbour = await address;
  assert.match(neighbour, /^10\.2\d\d\.\d+\.\d+$/);
  const gateway = neighbour.replace(/\.\d+$/, '.1');
  const host = createServer((socket) => socket.end('seen')).listen(0, '0.0.0.0');
  await new Promise((resolve) => host.once('listening', resolve));
  const bound = host.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const prober = build(
    `for to in '${neighbour} 7000' '${gateway} ${port}' '172.17.0.1 ${port}' '169.254.169.254 80'; do nc -w 1 $to </dev/null && echo reached $to; done; echo done`,
  );
  await sandbox.run(prober);
  host.close();
  assert.deepEqual(
    prober.lines.filter((line) => /seen|reached|done/.test(line)),
    ['done'],
  );
});
