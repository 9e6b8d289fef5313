import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningControlPlane } from '../create-control-plane.ts';
import { mainRef, noCommit, SimulatedServer, shopFile } from './simulated-server.ts';

const host = 'main.shop.localhost';

interface Served {
  readonly server: SimulatedServer;
  readonly plane: RunningControlPlane;
  readonly first: Awaited<ReturnType<SimulatedServer['repository']['commit']>>;
}

/** A control plane that runs, with a first release served. */
async function served(t: TestContext, file = shopFile('1')): Promise<Served> {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  await plane.start();
  const first = server.repository.commit(file);
  assert.equal((await server.push(plane, { previous: noCommit, next: first }))?.kind, 'ok', server.said.join('\n'));
  return { server, plane, first };
}

function environmentOf(server: SimulatedServer): EnvironmentRecord {
  const [environment] = server.ports.store.environments.list();
  assert.ok(environment);
  return environment;
}

async function suspended({ server, plane }: Served): Promise<void> {
  const { activity } = await plane.control.suspend('shop', 'main', 'ada');
  assert.equal((await plane.control.waitActivity(activity)).state, 'succeeded');
  assert.deepEqual((await server.engine.inspect(environmentOf(server).id)).generations, []);
}

async function instances(server: SimulatedServer): Promise<readonly string[]> {
  const { generations } = await server.engine.inspect(environmentOf(server).id);
  return generations.flatMap((generation) => generation.instances.map(({ state }) => `${generation.node} ${state}`));
}

function kinds(server: SimulatedServer): readonly string[] {
  return server.ports.store.activities.list({}).map(({ kind, state }) => `${kind} ${state}`);
}

test('a suspended environment runs nothing, and many requests at once wake it once and are answered', async (t) => {
  const now = await served(t);
  await suspended(now);
  assert.equal((await now.plane.control.showEnvironment('shop', 'main')).status, 'suspended');
  const answers = await Promise.all(Array.from({ length: 20 }, () => now.server.router.request(host)));
  assert.deepEqual(new Set(answers.map((route) => route?.target.kind)), new Set(['upstream']));
  assert.deepEqual(await instances(now.server), ['web running']);
  await Promise.all(now.server.ports.store.activities.list({}).map(({ id }) => now.plane.control.waitActivity(id)));
  assert.deepEqual(kinds(now.server), ['wake succeeded', 'suspend succeeded', 'push succeeded', 'build succeeded']);
  assert.equal((await now.plane.control.showEnvironment('shop', 'main')).status, 'active');
});

test('what cannot wake says why to those who wait, and sleeps on', async (t) => {
  const now = await served(t);
  await suspended(now);
  now.server.engine.behave('web', { exits: { exitCode: 3 } });
  const answer = await now.server.router.request(host);
  assert.deepEqual(answer?.target, {
    kind: 'notice',
    notice: 'unavailable',
    text: 'This environment sleeps and could not wake: web ended with exit code 3 before it was ready; it printed nothing',
  });
  const [wake] = now.server.ports.store.activities.list({ limit: 1 });
  assert.equal((await now.plane.control.waitActivity(wake?.id ?? '')).state, 'failed');
  assert.deepEqual(await instances(now.server), []);
  assert.equal(environmentOf(now.server).desired.run, 'suspended');
});

test('resume wakes without a request', async (t) => {
  const now = await served(t);
  await suspended(now);
  const { activity } = await now.plane.control.resume('shop', 'main', 'ada');
  assert.equal((await now.plane.control.waitActivity(activity)).state, 'succeeded');
  assert.deepEqual(await instances(now.server), ['web running']);
});

test('a push to a suspended environment wakes it to deploy and lets it sleep again', async (t) => {
  const now = await served(t);
  await suspended(now);
  const second = now.server.repository.commit(shopFile('2'), [now.first]);
  assert.deepEqual(await now.server.push(now.plane, { previous: now.first, next: second }), { kind: 'ok', ref: mainRef });
  assert.equal(environmentOf(now.server).desired.run, 'suspended');
  const answer = await now.server.router.request(host);
  assert.equal(answer?.target.kind, 'upstream');
  assert.match(now.server.said.join('\n'), /main slept and sleeps again/);
});

test('a push that fails leaves a suspended environment asleep', async (t) => {
  const now = await served(t);
  await suspended(now);
  now.server.engine.behave('web', { exits: { exitCode: 3 } });
  const second = now.server.repository.commit(shopFile('2'), [now.first]);
  assert.equal((await now.server.push(now.plane, { previous: now.first, next: second }))?.kind, 'refused');
  assert.equal(environmentOf(now.server).desired.run, 'suspended');
  assert.deepEqual(await instances(now.server), []);
});
