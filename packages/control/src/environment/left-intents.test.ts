import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoppiceError, type DataSource, type Deployment, isClosed, type NodeName, type SnapshotId } from '@coppice/model';
import { buildNode, buildSpec } from '@coppice/model/builders';
import type { EnvironmentRecord, Intent, Store } from '@coppice/state';
import { gitId, shopWithMain, temporaryStore } from '@coppice/state/testing';
import { createSimulatedVolumes } from '@coppice/volumes';
import { finishMoved, giveUpData, giveUpMoved, supersedeIntents } from './left-intents.ts';

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

test('data that cannot be sanitised once its server died gives way to what was there; where nothing was, it stays closed', async (t) => {
  const { store, deployment, environment } = killed(t);
  const settings = { domain: 'localhost', routerAddress: '', apiUrl: () => '', maxEnvironments: 1 };
  const volumes = createSimulatedVolumes();
  const ports = { store, volumes, clock: { now: () => new Date(), monotonicMs: () => 0 }, settings };
  const { id, project, name } = environment();
  const [from, aside] = ['b_from' as SnapshotId, 'b_aside' as SnapshotId];
  await volumes.ensure({ environment: id, node: 'web' as NodeName, volume: 'data' }, '1:1');
  await volumes.snapshot({ environment: id, id: from });
  await volumes.replace({ environment: id, generation: 1, from, keep: true, aside });
  store.environments.setLive(id, deployment.id);
  const sanitize = { node: 'web' as NodeName, run: './clean', timeoutMs: 1, spec: '' as NonNullable<DataSource['sanitize']>['spec'] };
  store.environments.setDesired(id, { ...environment().desired, dataGeneration: 1, dataSource: { from, keep: true, aside, sanitize } });
  const failed = new CoppiceError('interrupted', 'cut off');
  await giveUpData(ports, id, failed);
  assert.deepEqual([environment().desired.dataGeneration, isClosed(environment().desired)], [1, true]);
  const record = { id: aside, project, environment: id, environmentName: name, kind: 'replaced', reason: '' } as const;
  store.backups.create({ ...record, deployment: undefined, before: undefined, spec: undefined });
  await giveUpData(ports, id, new CoppiceError('engine-unreachable', 'away'));
  assert.equal(environment().desired.dataGeneration, 1);
  await giveUpData(ports, id, failed);
  assert.deepEqual(
    [environment().desired.dataGeneration, environment().desired.dataSource?.from, isClosed(environment().desired)],
    [2, aside, false],
  );
});
