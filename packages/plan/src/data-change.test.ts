import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DataSource, type NodeSpec, type SnapshotId, sha256 } from '@coppice/model';
import {
  buildNode,
  buildSpec,
  mountAt,
  nodeName,
  observedGeneration,
  observedInstance,
  observedWorld,
  relatedTo,
  routeTo,
} from '@coppice/model/builders';
import { describePlan } from './describe-plan.ts';
import { changed, plan, shown } from './plan-fixture.ts';

const [from, aside] = ['b_from' as SnapshotId, 'b_aside' as SnapshotId];
const dataSource: DataSource = { from, keep: false, aside };
const closedSource: DataSource = {
  ...dataSource,
  sanitize: { node: nodeName('web'), run: './clean', timeoutMs: 60_000, spec: sha256('the parent') },
};

const db = buildNode('db', { kind: 'service', mounts: [mountAt('/var/lib/db', 'exclusive')] });
const cache = buildNode('cache', { kind: 'service', mounts: [mountAt('/var/lib/cache', 'exclusive')] });
const web = buildNode('web', { relationships: [relatedTo('db')], mounts: [mountAt('/app/files')] });
const worker = buildNode('web--queue', {
  relationships: [relatedTo('cache')],
  mounts: [{ ...mountAt('/app/files'), node: nodeName('web') }],
});
const page = buildNode('page', { relationships: [relatedTo('web')] });
const shop = buildSpec([db, web, page], [routeTo('page')]);

test('other data comes once whoever mounts any of it is gone; who mounts none is not touched', () => {
  const made = plan(shop, { previous: shop, observed: observedWorld(shop), dataGeneration: 1, dataSource });
  assert.deepEqual(changed(made), [
    'replace db: its data is replaced [hold and switch]',
    'keep page',
    'replace web: its data is replaced [hold and switch]',
  ]);
  assert.deepEqual(shown(made), [
    'pull-image db',
    'pull-image web',
    'hold-routes < pull-image db, pull-image web',
    'stop web < hold-routes, pull-image web',
    'stop db < hold-routes, pull-image db, stop web',
    'switch-data 1 < hold-routes, pull-image db, pull-image web, stop db, stop web',
    'create-volumes db < switch-data 1',
    'create-volumes web < switch-data 1',
    'start db < create-volumes db, pull-image db, stop db, switch-data 1',
    'await-ready db < start db',
    'switch-address db < await-ready db',
    'start web < create-volumes web, pull-image web, stop web, switch-address db, switch-data 1',
    'await-ready web < start web',
    'switch-address web < await-ready web',
    'switch-routes < switch-address web, switch-data 1',
  ]);
  assert.deepEqual(
    made.steps.find((step) => step.kind === 'switch-data'),
    {
      id: 'switch-data 1',
      after: made.steps.find((step) => step.kind === 'switch-data')?.after,
      kind: 'switch-data',
      generation: 1,
      ...dataSource,
    },
  );
  assert.deepEqual(describePlan(made)[0], 'put b_from in the place of the data (generation 1)');
});

test('a new environment gets its data before anything that mounts some of it starts', () => {
  const made = plan(shop, { dataGeneration: 1, dataSource });
  assert.deepEqual(changed(made), ['create db', 'create page', 'create web']);
  const steps = shown(made);
  assert.ok(steps.includes('switch-data 1 < create-network, pull-image db, pull-image page, pull-image web'), steps.join('\n'));
  assert.ok(steps.includes('start db < create-network, create-volumes db, pull-image db, switch-data 1'));
});

test('data that is there already is not replaced again, and nothing is to do', () => {
  const observed = observedWorld(shop, { dataGeneration: 1 });
  assert.deepEqual(plan(shop, { previous: shop, observed, dataGeneration: 1, dataSource }).steps, []);
});

for (const state of ['created', 'exited'] as const) {
  test(`an instance that is ${state} goes before the data does, since nobody knows that it stays so`, () => {
    const generations = [observedGeneration(db, { instances: [observedInstance(db, 0, { state })] })];
    const spec = buildSpec([db]);
    const made = plan(spec, { previous: spec, observed: observedWorld(spec, { generations }), dataGeneration: 1, dataSource });
    assert.deepEqual(changed(made), ['replace db: its data is replaced']);
    assert.ok(shown(made).includes('switch-data 1 < pull-image db, stop db'));
  });
}

test('a worker that mounts the volumes of its application goes with it', () => {
  const spec = buildSpec([cache, db, web, worker]);
  const volumeMoves = [{ from: 'web~t_1', to: 'web' }];
  const world = observedWorld(spec);
  const volumes = [...world.volumes.filter(({ node }) => node !== 'web'), { node: nodeName('web~t_1'), volume: 'app-files' }];
  const made = plan(spec, { previous: spec, observed: { ...world, volumes }, volumeMoves });
  assert.deepEqual(changed(made), [
    'keep cache',
    'keep db',
    'move web: takes over the data of web~t_1 [hold and switch]',
    'replace web--queue: its data is replaced [hold and switch]',
  ]);
  assert.ok(
    shown(made).includes('move-volumes < pull-image web, pull-image web--queue, stop web, stop web--queue'),
    shown(made).join('\n'),
  );
});

test('volumes move to a renamed node once the old one is gone, before the new one starts', () => {
  const renamed = { ...db, name: nodeName('database'), movedFrom: nodeName('db') };
  const spec = buildSpec([renamed]);
  const before = buildSpec([db]);
  const volumeMoves = [{ from: 'db', to: 'database' }];
  const made = plan(spec, { previous: before, observed: observedWorld(before), volumeMoves });
  assert.deepEqual(changed(made), ['move database: takes over the data of db', 'remove db: not in the release any more']);
  assert.deepEqual(shown(made), [
    'pull-image database',
    'stop db < pull-image database',
    'move-volumes < pull-image database, stop db',
    'create-volumes database < move-volumes',
    'start database < create-volumes database, move-volumes, pull-image database',
    'await-ready database < start database',
    'switch-address database < await-ready database',
  ]);
  assert.equal(describePlan(made)[0], 'move the data of db to database');
  const done = observedWorld(before, { generations: [], volumes: [{ node: nodeName('database'), volume: 'var-lib-db' }] });
  assert.ok(plan(spec, { previous: before, observed: done, volumeMoves }).steps.every(({ kind }) => kind !== 'move-volumes'));
});

test('what sanitising needs is up before it, and everything else starts after it', () => {
  const hooked = buildNode('web', { ...web, hooks: { deploy: './migrate', postDeploy: undefined, postStart: undefined } });
  const made = plan(buildSpec([cache, db, hooked], [routeTo('web')]), { dataGeneration: 1, dataSource: closedSource, sanitizer: hooked });
  const steps = shown(made).filter((step) => /^(start|run-job|switch-routes)/.test(step));
  assert.deepEqual(steps, [
    'start db < create-network, create-volumes db, pull-image db, switch-data 1',
    'run-job web sanitize < create-network, switch-address db, switch-data 1',
    'start cache < create-network, create-volumes cache, pull-image cache, run-job web sanitize, switch-data 1',
    'run-job web deploy < create-network, create-volumes web, pull-image web, run-job web sanitize, switch-address db, switch-data 1',
    'start web < create-network, create-volumes web, pull-image web, run-job web deploy, run-job web sanitize, switch-data 1',
    'switch-routes < run-job web sanitize, switch-address cache, switch-address web',
  ]);
  assert.ok(describePlan(made).includes('sanitise the data with web before anything else starts'));
});

test('the relationships of what sanitises decide, not those that the branch left it', () => {
  const spec = buildSpec([cache, db, buildNode('web')]);
  const sanitizer = buildNode('web', { relationships: [relatedTo('cache'), relatedTo('gone')] });
  const made = plan(spec, { dataGeneration: 1, dataSource: closedSource, sanitizer });
  const job = made.steps.find((step) => step.id === 'run-job web sanitize');
  assert.deepEqual(job?.after.filter((id) => id.startsWith('switch-address')).length, 1);
  assert.ok(shown(made).some((step) => step.startsWith('start db <') && step.includes('run-job web sanitize')));
  assert.ok(shown(made).some((step) => step.startsWith('start cache <') && !step.includes('run-job web sanitize')));
});

test('an application that sanitising needs runs its deploy hook after it', () => {
  const api = buildNode('api', { hooks: { deploy: './migrate', postDeploy: undefined, postStart: undefined } });
  const sanitizer = buildNode('web', { relationships: [relatedTo('api')] });
  const made = plan(buildSpec([api, sanitizer]), { dataGeneration: 1, dataSource: closedSource, sanitizer });
  const steps = shown(made).filter((step) => /^(start|run-job)/.test(step));
  assert.deepEqual(steps, [
    'start api < create-network, pull-image api',
    'run-job web sanitize < create-network, switch-address api, switch-data 1',
    'run-job api deploy < create-network, pull-image api, run-job web sanitize, switch-address api',
    'start web < create-network, pull-image web, run-job api deploy, run-job web sanitize',
  ]);
});

test('other data does not run deploy hooks again', () => {
  const hooked: NodeSpec = { ...web, hooks: { deploy: './migrate', postDeploy: './warm', postStart: undefined } };
  const spec = buildSpec([db, hooked]);
  const made = plan(spec, { previous: spec, observed: observedWorld(spec), dataGeneration: 1, dataSource });
  assert.ok(made.steps.every((step) => step.kind !== 'run-job'));
});

test('a node that holds closed data and that sanitising does not need is stopped until it is done', () => {
  const spec = buildSpec([cache, db, web]);
  const observed = observedWorld(spec, { dataGeneration: 1 });
  const made = plan(spec, { previous: spec, observed, dataGeneration: 1, dataSource: closedSource, sanitizer: web });
  assert.deepEqual(changed(made), [
    'replace cache: its data is not sanitised yet [hold and switch]',
    'keep db',
    'replace web: its data is not sanitised yet [hold and switch]',
  ]);
  assert.ok(shown(made).includes('run-job web sanitize < stop cache, stop web'));
});

test('while a node rests that sanitising needs, nothing else starts', () => {
  const spec = buildSpec([cache, db, web]);
  const observed = observedWorld(spec, { dataGeneration: 1, generations: [] });
  const resting = new Set([nodeName('db')]);
  const wish = { dataGeneration: 1, dataSource: closedSource, sanitizer: web };
  assert.deepEqual(plan(spec, { previous: spec, observed, ...wish, resting }).steps, []);
});

test('data is replaced under a node that rests, and it starts again', () => {
  const spec = buildSpec([db]);
  const resting = new Set([nodeName('db')]);
  const made = plan(spec, { previous: spec, observed: observedWorld(spec), dataGeneration: 1, dataSource, resting });
  assert.deepEqual(changed(made), ['replace db: its data is replaced [hold and switch]']);
});

test('a suspended environment gets its data at once and goes on sleeping', () => {
  const asleep = observedWorld(shop, { generations: [] });
  const sleeping = plan(shop, { run: 'suspended', previous: shop, observed: asleep, dataGeneration: 1, dataSource: closedSource });
  assert.deepEqual(shown(sleeping), ['switch-data 1']);
  const falling = plan(shop, { run: 'suspended', previous: shop, observed: observedWorld(shop), dataGeneration: 1, dataSource });
  assert.deepEqual(shown(falling), [
    'stop page',
    'stop web < stop page',
    'stop db < stop web',
    'switch-data 1 < stop db, stop page, stop web',
  ]);
});

test('the data of a deleted environment is kept where it shall be, and never replaced before', () => {
  const observed = observedWorld(shop, { generations: [], network: false, routes: undefined, volumes: [], dataGeneration: 0 });
  const made = plan(shop, { exists: false, observed, dataGeneration: 1, dataSource, keepData: 'b_kept' as SnapshotId });
  assert.deepEqual(
    made.steps.map(({ id, after, ...step }) => step),
    [{ kind: 'remove-volumes', keepAs: 'b_kept' }],
  );
});
