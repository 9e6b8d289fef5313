import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { GitId, NodeName, SnapshotId } from '@coppice/model';
import type { EnvironmentRecord, Store, TrashRecord } from '@coppice/state';
import { shopWithMain, temporaryStore } from '@coppice/state/testing';
import { createSimulatedVolumes, type SimulatedVolumes, type Volumes } from '@coppice/volumes';
import type { Ports } from '../ports.ts';
import { DataKeeper } from './data-keeper.ts';
import { SnapshotClaims } from './snapshot-claims.ts';

interface Around {
  readonly store: Store;
  readonly volumes: SimulatedVolumes;
  readonly claims: SnapshotClaims;
  readonly main: EnvironmentRecord;
  /** Over these volumes, or over ones that do something else as well. */
  readonly keeperOn: (volumes?: Volumes) => DataKeeper;
}

async function around(t: TestContext): Promise<Around> {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const [volumes, claims] = [createSimulatedVolumes(), new SnapshotClaims()];
  await volumes.ensure({ environment: main.id, node: 'web' as NodeName, volume: 'data' }, '1:1');
  const keeperOn = (given: Volumes = volumes): DataKeeper => {
    const ports = { store, volumes: given, log: () => undefined, clock: { now: () => new Date() }, settings: {} };
    return new DataKeeper({ ports: ports as unknown as Ports, claims });
  };
  return { store, volumes, claims, main, keeperOn };
}

async function copyOf({ store, volumes, main }: Around): Promise<SnapshotId> {
  const id = store.backups.newId();
  await volumes.snapshot({ environment: main.id, id });
  return id;
}

function trashOf({ store, main }: Around, snapshot: SnapshotId): TrashRecord {
  const whole = { node: undefined, folder: undefined, type: undefined, deployment: undefined, commit: undefined, purgeAt: '2030-01-01' };
  return store.trash.create({ project: 'shop', environment: main.id, environmentName: 'side', branch: 'side', snapshot, ...whole });
}

const ids = async (volumes: Volumes): Promise<readonly SnapshotId[]> => (await volumes.snapshots()).map(({ id }) => id);

test('a sweep deletes the copies that no record, no environment and nobody at work names', async (t) => {
  const all = await around(t);
  const [claimed, backup, thrown] = [await copyOf(all), await copyOf(all), await copyOf(all)];
  await copyOf(all);
  all.claims.claim(claimed);
  all.keeperOn().record({ id: backup, environment: all.main, kind: 'manual', reason: 'asked for' });
  trashOf(all, thrown);
  await all.keeperOn().sweep();
  assert.deepEqual(await ids(all.volumes), [claimed, backup, thrown].sort());
});

test('a copy that becomes the data of an environment while a sweep looks stays', async (t) => {
  const all = await around(t);
  const { store, main, claims } = all;
  const id = claims.claim(await copyOf(all));
  const side = store.environments.create({ project: 'shop', name: 'side', branch: 'side', parent: undefined });
  const source = { keep: true, from: store.backups.newId(), aside: store.backups.newId() };
  store.environments.setDesired(main.id, { ...main.desired, dataSource: source });
  const generation: Volumes['generation'] = async (environment) => {
    store.environments.setDesired(side.id, { ...side.desired, dataSource: { ...source, from: id } });
    claims.release(id);
    return await all.volumes.generation(environment);
  };
  await all.keeperOn({ ...all.volumes, generation }).sweep();
  assert.deepEqual(await ids(all.volumes), [id]);
});

test('a record of replaced data goes where its copy was never made, unless that is not known', async (t) => {
  const all = await around(t);
  const keeper = all.keeperOn();
  const there = await copyOf(all);
  for (const id of [there, all.store.backups.newId()]) keeper.record({ id, environment: all.main, kind: 'replaced', reason: 'before' });
  const unseen = createSimulatedVolumes();
  await all.keeperOn(unseen).sweep();
  assert.equal(all.store.backups.list({}).length, 2);
  await keeper.sweep();
  assert.deepEqual(
    all.store.backups.list({}).map(({ id }) => id),
    [there],
  );
});

test('what came back from the trash and serves leaves it, what does not serve yet stays there', async (t) => {
  const all = await around(t);
  const { store, main } = all;
  const [back, waiting] = [await copyOf(all), await copyOf(all)];
  trashOf(all, back);
  trashOf(all, waiting);
  const side = store.environments.create({ project: 'shop', name: 'side', branch: 'side', parent: undefined });
  const source = { keep: true, aside: store.backups.newId() };
  store.environments.setDesired(main.id, { ...main.desired, dataSource: { ...source, from: back } });
  store.environments.setDesired(side.id, { ...side.desired, dataSource: { ...source, from: waiting } });
  const [commit, tree] = ['1'.repeat(40) as GitId, '2'.repeat(40) as GitId];
  const served = {
    environment: main.id,
    commit,
    tree,
    release: undefined,
    spec: undefined,
    status: 'succeeded',
    reason: '',
    actor: 'ann',
  } as const;
  store.environments.setLive(main.id, store.deployments.create(served).id);
  await all.keeperOn().sweep();
  assert.deepEqual(
    store.trash.list({}).map(({ snapshot }) => snapshot),
    [waiting],
  );
  assert.deepEqual(await ids(all.volumes), [waiting]);
});

test('nothing is in the trash whose copy is gone', async (t) => {
  const all = await around(t);
  const record = trashOf(all, await copyOf(all));
  const failing = { ...all.volumes, removeSnapshot: () => Promise.reject(new Error('killed')) };
  await assert.rejects(all.keeperOn(failing).empty([record]), /killed/);
  assert.deepEqual(all.store.trash.list({}), []);
});
