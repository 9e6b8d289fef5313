import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { mainRef, noCommit, SimulatedServer, shopFile } from './simulated-server.ts';

test('a first push makes the environment, moves the ref and writes a note; an equal tree then touches nothing', async (t) => {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  const first = server.repository.commit(shopFile('1'));
  assert.deepEqual(await server.push(plane, { previous: noCommit, next: first }), { kind: 'ok', ref: mainRef });
  assert.deepEqual([server.repository.refs.get(mainRef), server.repository.notes.map(({ commit }) => commit)], [first, [first]]);
  assert.deepEqual(server.ports.store.intents.list(), []);
  const before = await server.engine.list();
  const started = server.engine.effects.filter(({ kind }) => kind !== 'apply-policy').length;
  const second = server.repository.commit(shopFile('1'), [first]);
  assert.deepEqual(await server.push(plane, { previous: first, next: second }), { kind: 'ok', ref: mainRef });
  assert.deepEqual(
    [await server.engine.list(), server.engine.effects.filter(({ kind }) => kind !== 'apply-policy').length],
    [before, started],
  );
  assert.equal(server.builds, 1);
});

test('a release that is never ready is refused: the old one serves, and the ref stays', async (t) => {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  const first = server.repository.commit(shopFile('1'));
  await server.push(plane, { previous: noCommit, next: first });
  const before = await server.engine.list();
  server.engine.behave('web', { exits: { exitCode: 3 } });
  const second = server.repository.commit(shopFile('2'), [first]);
  const result = await server.push(plane, { previous: first, next: second });
  assert.equal(result?.kind, 'refused');
  assert.deepEqual([server.repository.refs.get(mainRef), await server.engine.list()], [first, before]);
  const [environment] = server.ports.store.environments.list();
  assert.deepEqual([environment?.desired.attempt, server.ports.store.intents.list()], [environment?.live, []]);
});

test('a first push that fails leaves no environment', async (t) => {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  server.engine.behave('web', { exits: { exitCode: 3 } });
  const result = await server.push(plane, { previous: noCommit, next: server.repository.commit(shopFile('1')) });
  assert.equal(result?.kind, 'refused');
  assert.deepEqual(
    [server.repository.refs, server.ports.store.environments.list(), await server.engine.list()],
    [new Map(), [], new Map()],
  );
});

test('deleting the branch removes all of it', async (t) => {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  const first = server.repository.commit(shopFile('1'));
  await server.push(plane, { previous: noCommit, next: first });
  assert.deepEqual(await server.push(plane, { previous: first, next: noCommit }), { kind: 'ok', ref: mainRef });
  assert.deepEqual(
    [server.repository.refs, server.ports.store.environments.list(), await server.engine.list()],
    [new Map(), [], new Map()],
  );
});

test('a plan changes nothing and says so last', async (t) => {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  await server.push(plane, { previous: noCommit, next: server.repository.commit(shopFile('1')), options: ['plan'] });
  assert.equal(server.said.at(-1), 'plan only: nothing was changed');
  assert.deepEqual([server.builds, server.engine.effects, server.ports.store.environments.list()], [0, [], []]);
});

test('of two pushes from one commit the second is told that the branch moved', async (t) => {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  const [first, second] = [server.repository.commit(shopFile('1')), server.repository.commit(shopFile('2'))];
  const results = await Promise.all([first, second].map((next) => server.push(plane, { previous: noCommit, next })));
  assert.deepEqual(results, [
    { kind: 'ok', ref: mainRef },
    { kind: 'refused', ref: mainRef, why: 'the branch moved while you pushed; fetch and push again' },
  ]);
  assert.equal(server.repository.refs.get(mainRef), first);
});

test('a push whose ref moved although the answer was lost is accepted', async (t) => {
  const server = new SimulatedServer(t);
  const { repositories } = server.ports;
  const lossy = {
    ...server.repository.port,
    updateRefs: async (updates: Parameters<typeof server.repository.port.updateRefs>[0]) => {
      await server.repository.port.updateRefs(updates);
      throw new CoppiceError('git-failed', 'git was killed');
    },
  };
  const plane = server.serve({ ...server.ports, repositories: { ...repositories, open: () => lossy } });
  const first = server.repository.commit(shopFile('1'));
  assert.deepEqual(await server.push(plane, { previous: noCommit, next: first }), { kind: 'ok', ref: mainRef });
  const [environment] = server.ports.store.environments.list();
  assert.equal(environment?.live && server.ports.store.deployments.get(environment.live)?.commit, first);
});
