import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '@coppice/model';
import { canonicalJson, type Desired, type EnvironmentId, environmentSpecDigest, isCoppiceError, type Sanitize } from '@coppice/model';
import { buildNode, buildSpec, nodeName } from '@coppice/model/builders';
import type { EnvironmentRecord, Store } from './store.ts';
import { digestNamed, gitId, shopWithMain, temporaryStore } from './temporary-store.ts';

function deploymentOf(store: Store, environment: EnvironmentRecord): Deployment {
  return store.deployments.create({
    environment: environment.id,
    commit: gitId('c'),
    tree: gitId('a'),
    release: undefined,
    spec: undefined,
    status: 'deploying',
    reason: 'push',
    actor: 'ann',
  });
}

const unknown = 'e_unknown' as EnvironmentId;

test('a new environment shall exist and be up, without a spec', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  assert.match(main.id, /^e_[a-z2-7]{16}$/);
  const expected: EnvironmentRecord = {
    id: main.id,
    sequence: 1,
    project: project.name,
    name: 'main',
    branch: 'main',
    parent: undefined,
    desired: { exists: true, run: 'up', spec: undefined, dataGeneration: 0, attempt: undefined },
    live: undefined,
    createdAt: '2026-01-02T03:04:06.000Z',
  };
  assert.deepEqual([main, store.environments.get(main.id)], [expected, expected]);
});

test('environments are found by branch and by name, within their project', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const fix = store.environments.create({ project: project.name, name: 'fix-a1b2c3', branch: 'Fix', parent: main.id });
  const other = store.projects.create('blog');
  const otherMain = store.environments.create({ project: other.name, name: 'main', branch: 'main', parent: undefined });
  assert.deepEqual(store.environments.findByBranch(project.name, 'Fix'), fix);
  assert.deepEqual(store.environments.findByName(project.name, 'fix-a1b2c3'), fix);
  assert.deepEqual(
    [store.environments.findByBranch(other.name, 'Fix'), store.environments.findByName(project.name, 'Fix')],
    [undefined, undefined],
  );
  assert.deepEqual(store.environments.list(project.name), [main, fix]);
  assert.deepEqual(store.environments.list(), [main, fix, otherMain]);
});

test('a branch or a name in use is a conflict, and a project that is not there is not found', (t) => {
  const { store } = temporaryStore(t);
  const { project } = shopWithMain(store);
  for (const clash of [
    { name: 'main', branch: 'other' },
    { name: 'other', branch: 'main' },
  ]) {
    assert.throws(
      () => store.environments.create({ project: project.name, parent: undefined, ...clash }),
      (error) => isCoppiceError(error, 'conflict'),
    );
  }
  assert.throws(
    () => store.environments.create({ project: 'p_none', name: 'x', branch: 'x', parent: undefined }),
    (error) => isCoppiceError(error, 'not-found'),
  );
});

test('what is desired comes back whole, its spec stored once by its digest', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const deployment = deploymentOf(store, main);
  const spec = buildSpec([buildNode('web')]);
  const desired: Desired = { exists: true, run: 'suspended', spec, dataGeneration: 3, attempt: deployment.id };
  store.environments.setDesired(main.id, desired);
  assert.equal(canonicalJson(store.environments.get(main.id)?.desired), canonicalJson(desired));
  assert.equal(canonicalJson(store.releases.getSpec(environmentSpecDigest(spec))), canonicalJson(spec));
  const gone: Desired = { exists: false, run: 'up', spec: undefined, dataGeneration: 3, attempt: undefined };
  store.environments.setDesired(main.id, gone);
  assert.deepEqual(store.environments.get(main.id)?.desired, gone);
});

test('where the data comes from, what of it moves and what is kept of it come back whole; what is absent stays absent', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const [from, aside] = [store.backups.newId(), store.backups.newId()];
  const plain: Desired = { exists: true, run: 'up', spec: undefined, dataGeneration: 1, attempt: undefined };
  const sanitize: Sanitize = { node: nodeName('web'), run: 'node clean.js "all"', timeoutMs: 60_000, spec: digestNamed('parent') };
  const wishes: readonly Desired[] = [
    { ...plain, dataSource: { from, keep: true, aside, sanitize } },
    { ...plain, dataSource: { from, keep: false, aside } },
    { ...plain, volumeMoves: [{ from: 'db', to: 'db~t_1' }] },
    { ...plain, volumeMoves: [] },
    { ...plain, exists: false, keepData: aside },
    plain,
  ];
  for (const desired of wishes) {
    store.environments.setDesired(main.id, desired);
    const back = store.environments.get(main.id)?.desired;
    assert.deepEqual(back, desired);
    assert.deepEqual(Object.keys(back ?? {}).sort(), Object.keys(desired).sort());
  }
});

test('the live deployment is kept', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const deployment = deploymentOf(store, main);
  store.environments.setLive(main.id, deployment.id);
  assert.equal(store.environments.get(main.id)?.live, deployment.id);
});

test('nothing can be wished for an environment that is not there', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const deployment = deploymentOf(store, main);
  const wishes = [
    () => store.environments.setDesired(unknown, main.desired),
    () => store.environments.setLive(unknown, deployment.id),
    () => store.environments.delete(unknown),
    () => store.environments.addressOffset(unknown, nodeName('web')),
    () => store.secrets.obtain(unknown, 'db'),
    () => store.environments.setLive(main.id, 'd_none' as never),
  ];
  for (const wish of wishes) assert.throws(wish, (error) => isCoppiceError(error, 'not-found'));
  assert.equal(store.environments.get(unknown), undefined);
});

test('deleting an environment takes its secrets, addresses and jobs, and leaves its deployments and its children', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const child = store.environments.create({ project: project.name, name: 'fix', branch: 'fix', parent: main.id });
  const deployment = deploymentOf(store, main);
  store.environments.setLive(main.id, deployment.id);
  store.environments.recordJob({ deployment: deployment.id, node: nodeName('web'), hook: 'deploy', state: 'succeeded', exitCode: 0 });
  store.environments.addressOffset(main.id, nodeName('web'));
  store.secrets.obtain(main.id, 'db');
  store.environments.delete(main.id);
  assert.deepEqual([store.secrets.values(), store.environments.jobs(deployment.id)], [[], []]);
  assert.deepEqual(store.deployments.list(main.id), [deployment]);
  assert.deepEqual(store.environments.list(), [{ ...child, parent: undefined }]);
  const again = store.environments.create({ project: project.name, name: 'main', branch: 'main', parent: undefined });
  assert.deepEqual([again.sequence, again.id === main.id], [3, false]);
});

test('each node keeps its address offset, and each environment counts for itself', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const other = store.environments.create({ project: project.name, name: 'fix', branch: 'fix', parent: undefined });
  const offset = (id: EnvironmentId, node: string): number => store.environments.addressOffset(id, nodeName(node));
  assert.deepEqual([offset(main.id, 'web'), offset(main.id, 'db'), offset(main.id, 'web'), offset(other.id, 'db')], [1, 2, 1, 1]);
});

test('after 254 nodes an environment has no more addresses', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const offsets = Array.from({ length: 254 }, (_, index) => store.environments.addressOffset(main.id, nodeName(`n${index}`)));
  assert.deepEqual([offsets[0], offsets[253], new Set(offsets).size], [1, 254, 254]);
  assert.throws(
    () => store.environments.addressOffset(main.id, nodeName('more')),
    (error) => isCoppiceError(error, 'limit-exceeded'),
  );
});

test('of a job the last that was recorded stands, sorted by node and hook', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const { id: deployment } = deploymentOf(store, main);
  const record = (node: string, state: 'started' | 'failed', exitCode: number | undefined): void =>
    store.environments.recordJob({ deployment, node: nodeName(node), hook: 'deploy', state, exitCode });
  record('web', 'started', undefined);
  record('api', 'started', undefined);
  record('web', 'failed', 3);
  assert.deepEqual(store.environments.jobs(deployment), [
    { node: 'api', hook: 'deploy', state: 'started', exitCode: undefined },
    { node: 'web', hook: 'deploy', state: 'failed', exitCode: 3 },
  ]);
});
