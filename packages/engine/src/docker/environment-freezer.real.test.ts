import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { ImagePin } from '@coppice/model';
import type { GenerationSpec } from '../engine.ts';
import { environment, generationSpec } from '../testing/specs.ts';
import { tinyImage } from '../testing/tiny-image.ts';
import { freezerOf } from './cgroup-freezer.ts';
import { DockerConnection } from './docker-connection.ts';
import { createDockerEngine, type DockerEngine } from './docker-engine.ts';

const connection = new DockerConnection(process.env['DOCKER_HOST']);
const owner = environment('e_freezer');
let engine: DockerEngine;
let image: ImagePin;

function bind(): DockerEngine {
  return createDockerEngine({
    serverId: `frz${process.pid}`,
    dockerHost: process.env['DOCKER_HOST'],
    registry: { address: () => '127.0.0.1:1', token: '' },
    stateDirectory: '/tmp/coppice-test-state',
  });
}

before(async () => {
  engine = bind();
  image = await tinyImage();
  await engine.ensureNetwork(owner);
});

after(async () => {
  await engine.removeServer();
  engine.close();
  connection.close();
});

async function countsOf(id: string): Promise<number> {
  let count = 0;
  for await (const _ of engine.logs(id, {})) count += 1;
  return count;
}

async function comesTrue(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) assert.ok(performance.now() < deadline, 'did not come true');
}

function counting(change: Partial<GenerationSpec> = {}): GenerationSpec {
  const argv = ['/bin/sh', '-c', 'while true; do echo tick; sleep 0.01; done'];
  return generationSpec(image, { environment: owner, argv, ...change });
}

test('the processes of what is frozen stand still, all at once, and go on where they were', async () => {
  const spec = counting({ instances: 3 });
  const { instances } = await engine.startGeneration(spec);
  const counts = async (): Promise<readonly number[]> => await Promise.all(instances.map(({ id }) => countsOf(id)));
  await comesTrue(async () => (await counts()).every((count) => count > 3));
  await engine.freeze(owner);
  // What was printed may be on its way to the log.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = await counts();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(await counts(), before);
  await engine.thaw(owner);
  await comesTrue(async () => (await counts()).every((count, index) => count > (before[index] ?? 0) + 3));
  await engine.stopGeneration(spec, spec.stop);
});

test('what a server froze that died is thawed by the next one, which sees it', async () => {
  const spec = counting();
  await engine.startGeneration(spec);
  await engine.freeze(owner);
  const next = bind();
  assert.equal((await next.inspect(owner)).frozen, true);
  await next.thaw(owner);
  assert.equal((await engine.inspect(owner)).frozen, undefined);
  next.close();
  await engine.stopGeneration(spec, spec.stop);
});

test('what somebody paused is frozen, is hinted, and is thawed', async () => {
  const spec = counting();
  const [instance] = (await engine.startGeneration(spec)).instances;
  const stop = new AbortController();
  const hints = engine.hints(stop.signal)[Symbol.asyncIterator]();
  const hint = hints.next();
  const switches = setInterval(() => {
    for (const verb of ['pause', 'unpause'])
      void connection.json({ method: 'POST', path: `/containers/${instance?.id}/${verb}` }).catch(() => undefined);
  }, 300);
  try {
    assert.deepEqual(await hint, { done: false, value: owner });
  } finally {
    clearInterval(switches);
    stop.abort();
  }
  await comesTrue(async () => {
    await connection.json({ method: 'POST', path: `/containers/${instance?.id}/pause` }).catch(() => undefined);
    return (await engine.inspect(owner)).frozen === true;
  });
  await engine.freeze(owner);
  await engine.thaw(owner);
  assert.equal((await engine.inspect(owner)).frozen, undefined);
  assert.equal((await engine.exec(instance?.id ?? '', { argv: ['/bin/true'], timeoutMs: 10_000 })).exitCode, 0);
  await connection.json({ method: 'POST', path: `/containers/${instance?.id}/pause` });
  await engine.stopGeneration(spec, { signal: 'SIGTERM', graceMs: 2000 });
  assert.deepEqual((await engine.inspect(owner)).generations, []);
});

const unified = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(`${path}/cgroup.controllers`));

test('a group of version 2 is frozen and thawed', { skip: unified === undefined && 'this host has none' }, async () => {
  const directory = `${unified}/coppice-test-${process.pid}`;
  const child = spawn('sleep', ['100']);
  await mkdir(directory);
  try {
    await writeFile(`${directory}/cgroup.procs`, String(child.pid));
    const freezer = freezerOf({ version: 2, directory });
    assert.equal(freezer?.state(), 'thawed');
    freezer?.freeze();
    await comesTrue(async () => freezer?.state() === 'frozen');
    freezer?.thaw();
    assert.equal(freezer?.state(), 'thawed');
  } finally {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    await rmdir(directory);
  }
});
