import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Deployment, type DeploymentId, type EnvironmentId, isCoppiceError } from '@coppice/model';
import { buildSpec } from '@coppice/model/builders';
import type { DeploymentStore } from './store.ts';
import { digestNamed, emptyRelease, gitId, shopWithMain, temporaryStore } from './temporary-store.ts';

function attempt(environment: EnvironmentId): Parameters<DeploymentStore['create']>[0] {
  return {
    environment,
    commit: gitId('c'),
    tree: gitId('a'),
    release: undefined,
    spec: undefined,
    status: 'queued',
    reason: 'push',
    actor: 'ann',
  };
}

test('a new deployment has begun, lasted nothing and has no plans', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const deployment = store.deployments.create(attempt(main.id));
  const expected: Deployment = {
    id: deployment.id,
    sequence: 1,
    environment: main.id,
    commit: gitId('c'),
    tree: gitId('a'),
    release: undefined,
    status: 'queued',
    reason: 'push',
    actor: 'ann',
    startedAt: '2026-01-02T03:04:07.000Z',
    finishedAt: undefined,
    durations: { build: 0, plan: 0, apply: 0 },
    plans: [],
  };
  assert.match(deployment.id, /^d_[a-z2-7]{16}$/);
  assert.deepEqual([deployment, store.deployments.get(deployment.id)], [expected, expected]);
  assert.deepEqual([store.deployments.specOf(deployment.id), store.deployments.get('d_none' as DeploymentId)], [undefined, undefined]);
});

test('only what an update names changes, and the first end stays', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const made = store.deployments.create(attempt(main.id));
  const release = store.releases.put(emptyRelease());
  const spec = store.releases.putSpec(buildSpec([]));
  store.deployments.update(made.id, { release, spec, status: 'building', durations: { build: 12.5 } });
  store.deployments.update(made.id, { status: 'failed', reason: 'web did not become ready', durations: { plan: 1 }, finished: true });
  store.deployments.update(made.id, { finished: true, durations: { apply: 3 } });
  assert.deepEqual(store.deployments.get(made.id), {
    ...made,
    release,
    status: 'failed',
    reason: 'web did not become ready',
    finishedAt: '2026-01-02T03:04:08.000Z',
    durations: { build: 12.5, plan: 1, apply: 3 },
  });
  assert.equal(store.deployments.specOf(made.id), spec);
});

test('history is newest first, of one environment or of the project, and as long as asked', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const fix = store.environments.create({ project: project.name, name: 'fix', branch: 'fix', parent: main.id });
  const [first, second, third] = [main, fix, main].map(({ id }) => store.deployments.create(attempt(id)));
  assert.deepEqual(store.deployments.list(main.id), [third, first]);
  assert.deepEqual(store.deployments.list(main.id, 1), [third]);
  assert.deepEqual(store.deployments.listProject(project.name), [third, second, first]);
  assert.deepEqual(store.deployments.listProject(project.name, 2), [third, second]);
});

test('a deployment lists its plans in the order they were made', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const { id } = store.deployments.create(attempt(main.id));
  const plans = [
    { digest: digestNamed('second look'), changes: 2, json: '{"changes":2}' },
    { digest: digestNamed('after drift'), changes: 1, json: '{"changes":1}' },
  ];
  for (const plan of plans) store.deployments.addPlan(id, plan);
  assert.deepEqual(store.deployments.plans(id), plans);
  assert.deepEqual(
    store.deployments.get(id)?.plans,
    plans.map(({ digest, changes }) => ({ digest, changes })),
  );
});

test('what refers to nothing is not found', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const { id } = store.deployments.create(attempt(main.id));
  const none = 'd_none' as DeploymentId;
  const calls = [
    () => store.deployments.create(attempt('e_none' as EnvironmentId)),
    () => store.deployments.create({ ...attempt(main.id), release: digestNamed('never put') }),
    () => store.deployments.update(none, { status: 'failed' }),
    () => store.deployments.update(id, { spec: digestNamed('never put') }),
    () => store.deployments.addPlan(none, { digest: digestNamed('x'), changes: 0, json: '{}' }),
  ];
  for (const call of calls) assert.throws(call, (error) => isCoppiceError(error, 'not-found'));
});
