import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoppiceError, type Deployment } from '@coppice/model';
import { buildNode, buildSpec } from '@coppice/model/builders';
import type { EnvironmentRecord, Intent, Store } from '@coppice/state';
import { gitId, shopWithMain, temporaryStore } from '@coppice/state/testing';
import { createSimulatedVolumes } from '@coppice/volumes';
import { finishMoved, giveUpMoved, supersedeIntents } from './left-intents.ts';

/** A store in which the ref of a first deployment moved, and then the server died. */
function killed(t: TestContext): { readonly store: Store; readonly deployment: Deployment; readonly environment: () => EnvironmentRecord } {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const spec = buildSpec([buildNode('web')]);
  const record = { environment: main.id, commit: gitId('1'), tree: gitId('2'), reason: '', actor: 'ada' };
  const deployment = store.deployments.create({ ...record, release: undefined, spec: store.releases.putSpec(spec), status: 'deploying' });
  store.environments.setDesired(main.id, { exists: true, run: 'up', spec, dataGeneration: 0, attempt: deployment.id });
  const ref = { project: 'shop', ref: 'refs/heads/main', previous: gitId('0'), next: gitId('1') };
  store.intents.create({ ...ref, environment: main.id, deployment: deployment.id, actor: 'ada', options: [], phase: 'moved' });
  const environment = (): EnvironmentRecord => {
    const found = store.environments.get(main.id);
    assert.ok(found);
    return found;
  };
  return { store, deployment, environment };
}

function end(store: Store, { id }: Deployment): readonly [string | undefined, boolean, readonly Intent[]] {
  const now = store.deployments.get(id);
  return [now?.status, now?.finishedAt !== undefined, store.intents.list()];
}

test('a deployment whose ref moved before its server died has succeeded once it serves', (t) => {
  const { store, deployment, environment } = killed(t);
  finishMoved(store, environment());
  assert.deepEqual(end(store, deployment), ['succeeded', true, []]);
  assert.equal(environment().live, deployment.id);
});

test('one whose place another took is superseded, and not what is live', (t) => {
  const { store, deployment, environment } = killed(t);
  store.environments.setDesired(environment().id, { ...environment().desired, attempt: undefined });
  finishMoved(store, environment());
  assert.deepEqual(end(store, deployment), ['superseded', true, []]);
  assert.equal(environment().live, undefined);
});

test('one that does not serve has failed, and what served before is desired again', async (t) => {
  const { store, deployment, environment } = killed(t);
  const clock = { now: () => new Date(), monotonicMs: () => 0 };
  const settings = { domain: 'localhost', routerAddress: '', apiUrl: () => '', maxEnvironments: 1 };
  const ports = { store, volumes: createSimulatedVolumes(), clock, settings };
  await giveUpMoved(ports, environment(), new CoppiceError('engine-unreachable', 'away'));
  assert.equal(store.deployments.get(deployment.id)?.status, 'deploying');
  const { spec } = environment().desired;
  await giveUpMoved(ports, environment(), new CoppiceError('not-ready', 'web ended'));
  assert.deepEqual(end(store, deployment), ['failed', true, []]);
  assert.deepEqual(environment().desired, { exists: false, run: 'up', spec, dataGeneration: 0, attempt: undefined });
});

test('what an earlier change left is superseded by a new one', (t) => {
  const { store, deployment, environment } = killed(t);
  supersedeIntents(store, environment().id);
  assert.deepEqual(end(store, deployment), ['superseded', true, []]);
});
