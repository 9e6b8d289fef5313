import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeploymentId, type EnvironmentId, isCoppiceError } from '@coppice/model';
import type { TrashStore } from './store.ts';
import { gitId, shopWithMain, temporaryStore } from './temporary-store.ts';

function nodeOf(environment: EnvironmentId): Parameters<TrashStore['create']>[0] {
  return {
    project: 'shop',
    environment,
    environmentName: 'main',
    branch: 'main',
    node: 'db',
    folder: 'db~t_1',
    type: 'postgresql:16',
    snapshot: undefined,
    deployment: undefined,
    commit: undefined,
    purgeAt: '2026-01-09T03:04:07.000Z',
  };
}

test('a node in the trash is kept as it was thrown away, and its bytes once they were measured', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const made = store.trash.create(nodeOf(main.id));
  assert.match(made.id, /^t_[a-z2-7]{16}$/);
  const expected = { ...nodeOf(main.id), id: made.id, sequence: 1, deletedAt: '2026-01-02T03:04:07.000Z', bytes: undefined };
  assert.deepEqual([made, store.trash.get(made.id)], [expected, expected]);
  store.trash.setBytes(made.id, 2 ** 45);
  assert.deepEqual(store.trash.get(made.id), { ...expected, bytes: 2 ** 45 });
});

test('a whole environment lies in the trash under the id that it was given', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const whole = { node: undefined, folder: undefined, type: undefined, snapshot: store.backups.newId() };
  const id = store.trash.newId();
  const wanted = { ...nodeOf(main.id), ...whole, id, deployment: 'd_live' as DeploymentId, commit: gitId('c') };
  const expected = { ...wanted, sequence: 1, deletedAt: '2026-01-02T03:04:07.000Z', bytes: undefined };
  assert.deepEqual([store.trash.create(wanted), store.trash.get(id)], [expected, expected]);
  assert.throws(
    () => store.trash.create(wanted),
    (error) => isCoppiceError(error, 'conflict'),
  );
});

test('the trash is listed newest first, by project and environment', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  store.projects.create('blog');
  const [first, second] = [store.trash.create(nodeOf(main.id)), store.trash.create(nodeOf('e_gone' as EnvironmentId))];
  const other = store.trash.create({ ...nodeOf('e_other' as EnvironmentId), project: 'blog' });
  assert.deepEqual(store.trash.list({}), [other, second, first]);
  assert.deepEqual(store.trash.list({ project: 'shop' }), [second, first]);
  assert.deepEqual(store.trash.list({ project: 'shop', environment: main.id }), [first]);
});

test('the trash outlives its environment, is emptied once, and goes with its project', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const [emptied, kept] = [store.trash.create(nodeOf(main.id)), store.trash.create(nodeOf(main.id))];
  store.environments.delete(main.id);
  store.trash.delete(emptied.id);
  store.trash.delete(emptied.id);
  assert.deepEqual(store.trash.list({}), [kept]);
  store.projects.delete('shop');
  assert.deepEqual(store.trash.list({}), []);
});

test('what refers to nothing is not found', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const calls = [() => store.trash.create({ ...nodeOf(main.id), project: 'none' }), () => store.trash.setBytes('t_none', 1)];
  for (const call of calls) assert.throws(call, (error) => isCoppiceError(error, 'not-found'));
  assert.equal(store.trash.get('t_none'), undefined);
});
