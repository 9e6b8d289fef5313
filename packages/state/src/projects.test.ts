import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { emptyRelease, gitId, shopWithMain, temporaryStore } from './temporary-store.ts';

test('a project is found by its name, and projects are listed by name', (t) => {
  const { store } = temporaryStore(t);
  const shop = store.projects.create('shop');
  const blog = store.projects.create('blog');
  assert.match(shop.id, /^p_[a-z2-7]{16}$/);
  assert.deepEqual(shop, { id: shop.id, name: 'shop', createdAt: '2026-01-02T03:04:05.000Z' });
  assert.deepEqual(store.projects.list(), [blog, shop]);
  assert.deepEqual([store.projects.find('shop'), store.projects.find('none')], [shop, undefined]);
});

test('a name in use is a conflict', (t) => {
  const { store } = temporaryStore(t);
  store.projects.create('shop');
  assert.throws(
    () => store.projects.create('shop'),
    (error) => isCoppiceError(error, 'conflict') && error.message === 'a project named "shop" is there already',
  );
});

test('a project with environments is not deleted', (t) => {
  const { store } = temporaryStore(t);
  shopWithMain(store);
  assert.throws(
    () => store.projects.delete('shop'),
    (error) => isCoppiceError(error, 'conflict'),
  );
  assert.equal(store.projects.list().length, 1);
});

test('deleting a project takes its ledger, deployments, activities and intents, and leaves those of others', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const release = store.releases.put(emptyRelease());
  const other = store.projects.create('blog');
  for (const each of [project, other]) store.releases.resolve(each.name, gitId('a'), release, 'first');
  const deployment = store.deployments.create({
    environment: main.id,
    commit: gitId('c'),
    tree: gitId('a'),
    release,
    spec: undefined,
    status: 'queued',
    reason: 'push',
    actor: 'ann',
  });
  store.deployments.addPlan(deployment.id, { digest: release, changes: 0, json: '{}' });
  store.environments.recordJob({ deployment: deployment.id, node: 'web' as never, hook: 'deploy', state: 'started', exitCode: undefined });
  store.environments.setLive(main.id, deployment.id);
  const activity = store.activities.create({
    kind: 'push',
    project: project.name,
    environment: main.id,
    deployment: deployment.id,
    actor: 'ann',
    cause: 'push',
  });
  store.activities.append(activity.id, ['a line']);
  store.environments.delete(main.id);
  store.projects.delete('shop');
  assert.deepEqual(
    [store.projects.list(), store.deployments.get(deployment.id), store.activities.list({}), store.environments.jobs(deployment.id)],
    [[other], undefined, [], []],
  );
  assert.deepEqual(
    [store.releases.resolved(project.name, gitId('a')), store.releases.resolved(other.name, gitId('a'))],
    [undefined, release],
  );
});

test('a project that is not there cannot be deleted', (t) => {
  const { store } = temporaryStore(t);
  assert.throws(
    () => store.projects.delete('shop'),
    (error) => isCoppiceError(error, 'not-found'),
  );
});
