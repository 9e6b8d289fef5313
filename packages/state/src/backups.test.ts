import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeploymentId, type EnvironmentId, isCoppiceError, type SnapshotId } from '@coppice/model';
import { buildSpec } from '@coppice/model/builders';
import type { BackupStore, Store } from './store.ts';
import { digestNamed, shopWithMain, temporaryStore } from './temporary-store.ts';

function manual(store: Store, environment: EnvironmentId): Parameters<BackupStore['create']>[0] {
  return {
    id: store.backups.newId(),
    project: 'shop',
    environment,
    environmentName: 'main',
    kind: 'manual',
    reason: 'asked for by ann',
    deployment: undefined,
    before: undefined,
    spec: undefined,
  };
}

test('a backup is kept as it was taken, and its bytes once they were measured', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const [deployment, before] = ['d_live' as DeploymentId, 'd_next' as DeploymentId];
  const wanted = { ...manual(store, main.id), deployment, before, spec: store.releases.putSpec(buildSpec([])) };
  const made = store.backups.create(wanted);
  assert.match(made.id, /^b_[a-z2-7]{16}$/);
  const expected = { ...wanted, sequence: 1, createdAt: '2026-01-02T03:04:07.000Z', bytes: undefined };
  assert.deepEqual([made, store.backups.get(made.id)], [expected, expected]);
  store.backups.setBytes(made.id, 2 ** 45);
  assert.deepEqual(store.backups.get(made.id), { ...expected, bytes: 2 ** 45 });
});

test('backups are listed newest first, by project, environment and the deployment they were taken before', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  store.projects.create('blog');
  const before = 'd_next' as DeploymentId;
  const first = store.backups.create(manual(store, main.id));
  const second = store.backups.create({ ...manual(store, main.id), kind: 'deployment', before });
  const other = store.backups.create({ ...manual(store, 'e_other' as EnvironmentId), project: 'blog' });
  assert.deepEqual(store.backups.list({}), [other, second, first]);
  assert.deepEqual(store.backups.list({ project: 'shop' }), [second, first]);
  assert.deepEqual(store.backups.list({ environment: other.environment }), [other]);
  assert.deepEqual(store.backups.list({ project: 'shop', before }), [second]);
  assert.deepEqual(store.backups.list({ project: 'blog', environment: main.id }), []);
});

test('a backup outlives its environment, is forgotten once, and goes with its project', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const [forgotten, kept] = [store.backups.create(manual(store, main.id)), store.backups.create(manual(store, main.id))];
  store.environments.delete(main.id);
  store.backups.delete(forgotten.id);
  store.backups.delete(forgotten.id);
  assert.deepEqual(store.backups.list({}), [kept]);
  store.projects.delete('shop');
  assert.deepEqual(store.backups.list({}), []);
});

test('an id in use is a conflict, and what refers to nothing is not found', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const made = store.backups.create(manual(store, main.id));
  assert.throws(
    () => store.backups.create({ ...manual(store, main.id), id: made.id }),
    (error) => isCoppiceError(error, 'conflict'),
  );
  const calls = [
    () => store.backups.create({ ...manual(store, main.id), project: 'none' }),
    () => store.backups.create({ ...manual(store, main.id), spec: digestNamed('never put') }),
    () => store.backups.setBytes('b_none' as SnapshotId, 1),
  ];
  for (const call of calls) assert.throws(call, (error) => isCoppiceError(error, 'not-found'));
  assert.equal(store.backups.get('b_none' as SnapshotId), undefined);
});
