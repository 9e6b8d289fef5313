import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EngineListing } from '@coppice/engine';
import {
  type EnvironmentSpec,
  nodeDigest,
  type ObservedGeneration,
  type ObservedInstance,
  type Release,
  releaseDigest,
  sha256,
} from '@coppice/model';
import { buildNode, buildSpec, observedGeneration, observedInstance, routeTo } from '@coppice/model/builders';
import type { Plan } from '@coppice/plan';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { emptyRelease, gitId, shopWithMain, temporaryStore } from '@coppice/state/testing';
import type { EnvironmentStatus, NodeView } from '../control-plane.ts';
import type { Settings } from '../ports.ts';
import { activityView, deploymentView, environmentDetail, environmentView, planView, releaseView, type ViewParts } from './views.ts';

const settings: Settings = {
  domain: 'localhost',
  routerAddress: '127.0.0.1:8080',
  apiUrl: () => 'http://localhost:1',
  maxEnvironments: 10,
};
const web = buildNode('web', { instances: 2 });
const spec = buildSpec([web], [routeTo('web')]);

function listed(...generations: readonly ObservedGeneration[]): EngineListing {
  return { network: true, generations, jobs: [] };
}

function withInstances(...instances: readonly Partial<ObservedInstance>[]): ObservedGeneration {
  return observedGeneration(web, { instances: instances.map((overrides, index) => observedInstance(web, index, overrides)) });
}

const asProbed = (instance: ObservedInstance): ObservedInstance['readiness'] => instance.readiness;

function partsOf(store: Store, crashes: NodeView['crashes'] = null): ViewParts {
  return { store, settings, readiness: asProbed, crashes: () => crashes };
}

/** The project's main, served by a deployment of the spec. */
function served(t: TestContext): { readonly store: Store; readonly main: () => EnvironmentRecord; readonly deployment: string } {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const release = store.releases.put(emptyRelease());
  const deployment = store.deployments.create({
    environment: main.id,
    commit: gitId('c'),
    tree: gitId('a'),
    release,
    spec: store.releases.putSpec(spec),
    status: 'succeeded',
    reason: 'push to main',
    actor: 'ann',
  });
  store.environments.setLive(main.id, deployment.id);
  desire(store, main, {});
  return { store, main: () => store.environments.get(main.id) ?? main, deployment: deployment.id };
}

function desire(store: Store, environment: EnvironmentRecord, overrides: Partial<EnvironmentRecord['desired']>): void {
  store.environments.setDesired(environment.id, {
    exists: true,
    run: 'up',
    spec: spec as EnvironmentSpec | undefined,
    dataGeneration: 0,
    attempt: undefined,
    ...overrides,
  });
}

test('an environment that serves says where, and what', (t) => {
  const { store, main, deployment } = served(t);
  const fix = store.environments.create({ project: 'shop', name: 'fix', branch: 'fix/cart', parent: main().id });
  assert.deepEqual(environmentView(partsOf(store), main(), listed(observedGeneration(web))), {
    name: 'main',
    branch: 'main',
    parent: null,
    status: 'active',
    urls: ['http://main.shop.localhost:8080/'],
    release: { commit: gitId('c'), tree: gitId('a'), digest: releaseDigest(emptyRelease()) },
    deployment,
  });
  assert.deepEqual(environmentView(partsOf(store), fix, undefined), {
    name: 'fix',
    branch: 'fix/cart',
    parent: 'main',
    status: 'creating',
    urls: [],
    release: null,
    deployment: null,
  });
});

test('an environment is active while as many instances are ready as it shall have', (t) => {
  const { store, main } = served(t);
  const status = (listing: EngineListing | undefined): EnvironmentStatus => environmentView(partsOf(store), main(), listing).status;
  const old = buildNode('web', { code: 'old', instances: 2 });
  assert.deepEqual(
    {
      whole: status(listed(withInstances({}, {}))),
      spare: status(listed(withInstances({}, {}, { state: 'exited' }))),
      one: status(listed(withInstances({}))),
      oneUnready: status(listed(withInstances({}, { readiness: 'unready' }))),
      oneUnknown: status(listed(withInstances({}, { readiness: 'unknown' }))),
      oldOnly: status(listed(observedGeneration(old))),
      nothing: status(listed()),
      engineAway: status(undefined),
    },
    {
      whole: 'active',
      spare: 'active',
      one: 'degraded',
      oneUnready: 'degraded',
      oneUnknown: 'degraded',
      oldOnly: 'degraded',
      nothing: 'degraded',
      engineAway: 'degraded',
    },
  );
});

test('what is wished goes before what runs: deleting, suspended', (t) => {
  const { store, main } = served(t);
  const status = (): EnvironmentStatus => environmentView(partsOf(store), main(), listed(observedGeneration(web))).status;
  desire(store, main(), { run: 'suspended' });
  assert.equal(status(), 'suspended');
  desire(store, main(), { exists: false, run: 'suspended' });
  assert.equal(status(), 'deleting');
});

test('each instance of a node says how it is', (t) => {
  const { store, main } = served(t);
  const old = buildNode('web', { code: 'old' });
  const nodes = (listing: EngineListing | undefined): readonly NodeView[] => environmentDetail(partsOf(store), main(), listing).nodes;
  const instances = [
    { id: '1' },
    { id: '2', readiness: 'unready' },
    { id: '3', readiness: 'unknown' },
    { id: '4', state: 'created' },
    { id: '5', state: 'exited' },
  ] as const;
  const before = observedGeneration(old, {
    instances: [observedInstance(old, 0, { id: '6' }), observedInstance(old, 1, { id: '7', state: 'exited' })],
  });
  const view = { name: 'web', kind: 'application', digest: nodeDigest(web), image: web.image.manifest, crashes: null };
  assert.deepEqual(nodes(listed(withInstances(...instances), before, observedGeneration(buildNode('other')))), [
    {
      ...view,
      instances: [
        { id: '1', status: 'ready' },
        { id: '2', status: 'unready' },
        { id: '3', status: 'starting' },
        { id: '4', status: 'starting' },
        { id: '5', status: 'crashed' },
        { id: '6', status: 'stopping' },
        { id: '7', status: 'crashed' },
      ],
    },
  ]);
  assert.deepEqual(nodes(undefined), [{ ...view, instances: [] }]);
});

test('a node that crashes again and again says so', (t) => {
  const { store, main } = served(t);
  const crashes = { count: 3, last: 'exit code 1', startsInMs: 1_500 };
  assert.deepEqual(environmentDetail(partsOf(store, crashes), main(), undefined).nodes[0]?.crashes, crashes);
});

test('an environment that wakes says so until its wake has ended', (t) => {
  const { store, main } = served(t);
  const status = (): EnvironmentStatus => environmentView(partsOf(store), main(), listed(observedGeneration(web))).status;
  const about = { project: 'shop', environment: main().id, deployment: undefined, actor: 'ann', cause: 'a request came' };
  const { id } = store.activities.create({ kind: 'wake', ...about });
  assert.equal(status(), 'waking');
  store.activities.update(id, { state: 'succeeded' });
  assert.equal(status(), 'active');
});

test('the nodes shown are those that are wished, else those that are live', (t) => {
  const { store, main } = served(t);
  const names = (): readonly string[] => environmentDetail(partsOf(store), main(), undefined).nodes.map(({ name }) => name);
  desire(store, main(), { spec: buildSpec([buildNode('next')]) });
  assert.deepEqual(names(), ['next']);
  desire(store, main(), { spec: undefined });
  assert.deepEqual(names(), ['web']);
});

test('a deployment is shown with the name of its environment, or its id once that is gone', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const deployment = store.deployments.create({
    environment: main.id,
    commit: gitId('c'),
    tree: gitId('a'),
    release: undefined,
    spec: undefined,
    status: 'building',
    reason: 'push to main',
    actor: 'ann',
  });
  const view = {
    id: deployment.id,
    sequence: 1,
    environment: 'main',
    commit: gitId('c'),
    release: null,
    status: 'building',
    reason: 'push to main',
    startedAt: deployment.startedAt,
    finishedAt: null,
    durations: { build: 0, plan: 0, apply: 0 },
    plans: [],
  };
  assert.deepEqual(deploymentView(store, deployment), view);
  store.environments.delete(main.id);
  assert.deepEqual(deploymentView(store, deployment), { ...view, environment: main.id });
});

test('a plan is shown with its steps and the nodes they are about', () => {
  const plan: Plan = {
    v: 1,
    digest: sha256('plan'),
    changes: [],
    steps: [
      { id: 'create-network', kind: 'create-network', after: [] },
      { id: 'create-volumes web', kind: 'create-volumes', node: web.name, after: ['create-network'] },
    ],
  };
  const view = {
    digest: plan.digest,
    changes: [],
    steps: [
      { id: 'create-network', kind: 'create-network', node: null, after: [] },
      { id: 'create-volumes web', kind: 'create-volumes', node: 'web', after: ['create-network'] },
    ],
  };
  assert.deepEqual(planView(plan), { ...view, toBuild: [] });
  const toBuild = [{ node: 'web', key: sha256('key') }];
  assert.deepEqual(planView(plan, toBuild), { ...view, toBuild });
});

test('a release is shown with each node pinned', () => {
  const release: Release = { ...emptyRelease(), nodes: [web] };
  assert.deepEqual(releaseView(release, { commit: gitId('c'), tree: gitId('a') }), {
    commit: gitId('c'),
    tree: gitId('a'),
    digest: releaseDigest(release),
    nodes: [
      {
        name: 'web',
        kind: 'application',
        image: web.image.manifest,
        digest: nodeDigest(web),
        type: 'nodejs:24',
        version: '24.1.0',
      },
    ],
  });
});

test('an activity is shown with the name of its environment, its id once that is gone, or none', (t) => {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const start = { kind: 'push', project: 'shop', deployment: undefined, actor: 'ann', cause: 'push' } as const;
  const about = store.activities.create({ ...start, environment: main.id });
  const alone = store.activities.create({ ...start, environment: undefined });
  assert.deepEqual(activityView(store, about), { ...about, environment: 'main' });
  assert.deepEqual(activityView(store, alone), { ...alone, environment: null });
  store.environments.delete(main.id);
  assert.deepEqual(activityView(store, about), { ...about, environment: main.id });
});
