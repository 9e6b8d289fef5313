import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Deployment, type Desired, isCoppiceError, type NodeSpec, type SnapshotId } from '@coppice/model';
import { buildNode, buildSpec, mountAt, nodeName, relatedTo } from '@coppice/model/builders';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { gitId, shopWithMain, temporaryStore } from '@coppice/state/testing';
import { type ForeignData, foreignData, sanitizerOf } from './foreign-data.ts';
import { networkPolicy } from './network-policy.ts';

const db = buildNode('db', { kind: 'service', mounts: [mountAt('/data', 'exclusive')] });
const cache = buildNode('cache');
const web = buildNode('web', { relationships: [relatedTo('db'), relatedTo('gone')], mounts: [mountAt('/files')] });
const page = buildNode('page', { relationships: [relatedTo('web'), relatedTo('db')] });

interface Shop {
  readonly store: Store;
  readonly environment: EnvironmentRecord;
  readonly deployment: Deployment;
  readonly foreign: (dataGeneration?: number) => ForeignData;
}

/** An environment with data of generation 2 that the parent's web sanitises. */
function closedShop(t: TestContext, nodes: readonly NodeSpec[], rest: Partial<Desired> = {}): Shop {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const parent = store.releases.putSpec(buildSpec([db, web]));
  const spec = buildSpec(nodes);
  const record = { environment: main.id, commit: gitId('1'), tree: gitId('2'), release: undefined, reason: '', actor: 'ada' };
  const deployment = store.deployments.create({ ...record, spec: store.releases.putSpec(spec), status: 'deploying' });
  const sanitize = { node: nodeName('web'), run: './clean', timeoutMs: 1_000, spec: parent };
  const dataSource = { from: 'b_from' as SnapshotId, keep: false, aside: 'b_aside' as SnapshotId, sanitize };
  store.environments.setDesired(main.id, { exists: true, run: 'up', spec, dataGeneration: 2, dataSource, attempt: deployment.id, ...rest });
  const environment = store.environments.get(main.id);
  assert.ok(environment);
  return { store, environment, deployment, foreign: (dataGeneration) => foreignData({ store, environment, spec, dataGeneration }) };
}

/** As the store gives it back. */
function stored(node: NodeSpec): unknown {
  return JSON.parse(JSON.stringify(node));
}

test('what sanitises is the node of the release that demands it, with its ways to nodes that there are here', (t) => {
  const branch = buildNode('web', { code: 'of the branch' });
  const { foreign } = closedShop(t, [db, branch]);
  assert.deepEqual(foreign().sanitize(), { run: './clean', timeoutMs: 1_000, mounted: new Set(['db']) });
  assert.deepEqual(foreign().sanitizeNode(), stored({ ...web, relationships: [relatedTo('db')] }));
});

test('what would run code of the branch before the data is sanitised does not count as needed, and nothing is sanitised without it', (t) => {
  const { store, environment, foreign } = closedShop(t, [{ ...db, kind: 'application' }, web]);
  assert.deepEqual(sanitizerOf(store, environment.desired)?.relationships, []);
  assert.throws(
    () => foreign().sanitizeNode(),
    (error) => isCoppiceError(error, 'conflict') && /web cannot sanitise the data: it needs db/.test(error.message),
  );
});

test('it follows what was renamed', (t) => {
  const [database, site] = [
    { ...db, name: nodeName('database') },
    { ...web, name: nodeName('site') },
  ];
  const volumeMoves = [
    { from: 'db', to: 'database' },
    { from: 'web', to: 'site' },
  ];
  const { store, environment } = closedShop(t, [database, site], { volumeMoves });
  const expected = {
    ...web,
    relationships: [relatedTo('db', { node: nodeName('database') })],
    mounts: [{ ...mountAt('/files'), node: nodeName('site') }],
  };
  assert.deepEqual(sanitizerOf(store, environment.desired), stored(expected));
});

test('data that it would not find, since it is put aside, is refused', (t) => {
  const { foreign } = closedShop(t, [db, { ...web, mounts: [] }], { volumeMoves: [{ from: 'web', to: 'web~t_1' }] });
  assert.throws(
    () => foreign().sanitizeNode(),
    (error) => isCoppiceError(error, 'conflict') && /the data of web cannot be sanitised/.test(error.message),
  );
});

test('once it succeeded the data is open, for this plan and for what comes', (t) => {
  const { store, environment, foreign } = closedShop(t, [db, web]);
  const data = foreign();
  data.sanitized();
  const { sanitize: _, ...open } = environment.desired.dataSource ?? assert.fail();
  assert.deepEqual(store.environments.get(environment.id)?.desired, { ...environment.desired, dataSource: open });
  assert.deepEqual(data.environment().desired.dataSource, open);
});

test('what was put aside of it is not put there again, while what was renamed is', (t) => {
  const volumeMoves = [
    { from: 'db', to: 'database' },
    { from: 'old', to: 'old~t_1' },
  ];
  const { store, environment, foreign } = closedShop(t, [db, web], { volumeMoves });
  foreign().forgetAside();
  assert.deepEqual(store.environments.get(environment.id)?.desired.volumeMoves, [volumeMoves[0]]);
});

test('data that came meanwhile is not opened by what sanitised other data', (t) => {
  const { store, environment, foreign } = closedShop(t, [db, web]);
  const data = foreign();
  const later = { ...environment.desired, dataGeneration: 3 };
  store.environments.setDesired(environment.id, later);
  data.sanitized();
  assert.deepEqual(store.environments.get(environment.id)?.desired, later);
});

test('how it went is found whatever deployment it belongs to; other data and other hooks are none of it', (t) => {
  const { store, environment, deployment, foreign } = closedShop(t, [db, web]);
  const record = { environment: environment.id, commit: gitId('3'), tree: gitId('4'), release: undefined, reason: '', actor: 'ada' };
  const later = store.deployments.create({ ...record, spec: undefined, status: 'deploying' });
  const job = { deployment: deployment.id, node: nodeName('web'), exitCode: 1 };
  store.environments.recordJob({ ...job, hook: 'sanitize-2', state: 'failed' });
  store.environments.recordJob({ ...job, hook: 'sanitize-1', state: 'succeeded' });
  store.environments.recordJob({ ...job, hook: 'deploy', state: 'succeeded' });
  assert.deepEqual(
    foreign()
      .jobs(later.id)
      .map(({ hook, state }) => [hook, state]),
    [['sanitize-2', 'failed']],
  );
  assert.deepEqual(foreign().jobs(deployment.id), []);
});

test('while the data is closed only the job reaches anything, and what it needs', (t) => {
  const { foreign } = closedShop(t, [db, cache, { ...web, relationships: [relatedTo('cache')] }, page]);
  const jobs = new Map([[nodeName('web'), ['10.0.0.9']]]);
  const policyOf = (data: ForeignData): ReturnType<typeof networkPolicy> => {
    const nodes = data.nodes([db, cache, { ...web, relationships: [relatedTo('cache')] }, page]);
    return data.policy(
      networkPolicy({ nodes, generations: [], serving: new Map(), jobs, addressOf: (node) => `the address of ${node}` }),
      jobs,
    );
  };
  const edgesOf = (data: ForeignData): readonly string[] => policyOf(data).edges.map(({ from, to }) => `${from} → ${to}`);
  const before = foreign(1);
  assert.deepEqual(edgesOf(before), ['page → db', 'page → web', 'web → cache', 'web → db']);
  before.switched();
  assert.deepEqual(edgesOf(before), ['web → cache', 'web → db']);
  assert.deepEqual(
    policyOf(before).nodes.map(({ node, instances }) => [node, instances]),
    [
      ['cache', []],
      ['db', []],
      ['page', []],
      ['web', ['10.0.0.9']],
    ],
  );
  before.sanitized();
  assert.deepEqual(edgesOf(before), ['page → db', 'page → web', 'web → cache']);
  assert.deepEqual(edgesOf(foreign(2)), ['web → cache', 'web → db']);
});

test('what failed to be sanitised is reached by nobody until its own data is back', (t) => {
  const dataSource = { from: 'b_aside' as SnapshotId, keep: true, aside: 'b_later' as SnapshotId, replacesClosed: true } as const;
  const { foreign } = closedShop(t, [db, web, page], { dataGeneration: 3, dataSource });
  const open = { nodes: [], edges: [{ from: nodeName('page'), to: nodeName('db'), port: 5432 }] };
  const [before, after] = [foreign(2), foreign(3)];
  assert.deepEqual(before.policy(open, new Map()).edges, []);
  before.switched();
  assert.deepEqual(before.policy(open, new Map()), open);
  assert.deepEqual(after.policy(open, new Map()), open);
});
