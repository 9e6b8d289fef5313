import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EnvironmentSpec, isCoppiceError, type NodeSpec, sha256 } from '@coppice/model';
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
import { changed, plan, shown } from './plan-fixture.ts';
import type { PlanInput } from './plan-input.ts';
import type { Plan } from './plan-value.ts';

const database = buildNode('db', { kind: 'service', mounts: [mountAt('/var/lib/db', 'exclusive')] });
const web = buildNode('web', { relationships: [relatedTo('db')] });

/** From one served spec to another, with the world as the first wants it. */
function between(
  before: readonly NodeSpec[],
  after: readonly NodeSpec[],
  rest: Partial<PlanInput> = {},
  routes: EnvironmentSpec['routes'] = [routeTo('web')],
): Plan {
  const previous = buildSpec(before, routes);
  return plan(buildSpec(after, routes), { previous, observed: observedWorld(previous), ...rest });
}

test('a world that is as desired gives no steps, and the same plan again', () => {
  const first = between([web, database], [web, database]);
  assert.deepEqual({ steps: first.steps, changes: changed(first) }, { steps: [], changes: ['keep db', 'keep web'] });
  assert.equal(first.digest, between([database, web], [web, database]).digest);
});

test('a new environment starts dependencies first and switches routes last', () => {
  const made = plan(buildSpec([web, database], [routeTo('web')]));
  assert.deepEqual(changed(made), ['create db', 'create web']);
  assert.deepEqual(shown(made), [
    'create-network',
    'create-volumes db',
    'pull-image db',
    'pull-image web',
    'start db < create-network, create-volumes db, pull-image db',
    'await-ready db < start db',
    'switch-address db < await-ready db',
    'start web < create-network, pull-image web, switch-address db',
    'await-ready web < start web',
    'switch-address web < await-ready web',
    'switch-routes < switch-address web',
  ]);
});

test('a changed node overlaps with its old generation, and the one it needs is not touched', () => {
  const made = between([web, database], [buildNode('web', { code: 'code-2', relationships: [relatedTo('db')] }), database]);
  const [from, to] = ['code-1', 'code-2'].map((code) => sha256(code).slice(7, 14));
  assert.deepEqual(changed(made), ['keep db', `replace web: image changed (source tree ${from} → ${to}) [overlap]`]);
  assert.deepEqual(shown(made), [
    'pull-image web',
    'start web < pull-image web',
    'await-ready web < start web',
    'switch-address web < await-ready web',
    'switch-routes < switch-address web',
    'drain web < switch-routes',
    'stop web < drain web',
  ]);
});

test('a node with an exclusive volume is stopped before its successor starts, not before the image is there', () => {
  const made = between([database], [buildNode('db', { ...database, argv: ['node', 'other.js'] })]);
  assert.deepEqual(changed(made), ['replace db: argv changed (node server.js → node other.js) [hold and switch]']);
  assert.deepEqual(shown(made), [
    'pull-image db',
    'stop db < pull-image db',
    'start db < pull-image db, stop db',
    'await-ready db < start db',
    'switch-address db < await-ready db',
  ]);
});

test('a volume that a worker shares is held by nobody else when its application becomes the only holder, nor the reverse', () => {
  const volume = { target: '/app/data', volume: 'data' };
  const sharing = buildNode('web', { mounts: [{ ...volume, source: 'storage', exclusive: false }] });
  const worker = buildNode('web--tidy', { mounts: [{ ...volume, source: 'storage', exclusive: false, node: sharing.name }] });
  const holding = buildNode('web', { mounts: [{ ...volume, source: 'instance', exclusive: true }] });
  const starts = (made: Plan): readonly string[] =>
    made.steps.flatMap(({ id, kind, after }) =>
      kind === 'start' ? [`${id.split(' ')[1]} < ${after.filter((each) => each.startsWith('stop')).length}`] : [],
    );
  assert.deepEqual(starts(between([sharing, worker], [holding])), ['web < 2']);
  assert.deepEqual(starts(between([holding], [sharing, worker])), ['web < 1', 'web--tidy < 1']);
  assert.deepEqual(starts(between([sharing, worker], [{ ...sharing, argv: ['v2'] }, worker])), ['web < 0']);
});

test('while a node with an exclusive volume is replaced, requests to whatever needs it wait', () => {
  const api = buildNode('api', { relationships: [relatedTo('db')] });
  const site = buildNode('site', { relationships: [relatedTo('api')] });
  const alone = buildNode('alone', {});
  const made = between([site, api, alone, database], [site, api, alone, { ...database, argv: ['v2'] }], { routes: sha256('wanted') }, [
    routeTo('site'),
    routeTo('alone'),
  ]);
  assert.deepEqual(shown(made), [
    'pull-image db',
    'hold-routes < pull-image db',
    'stop db < hold-routes, pull-image db',
    'start db < pull-image db, stop db',
    'await-ready db < start db',
    'switch-address db < await-ready db',
    'switch-routes < switch-address db',
  ]);
  assert.deepEqual(
    made.steps.flatMap((step) => (step.kind === 'hold-routes' ? step.nodes : [])),
    ['site'],
  );
});

test('what a cut hold left waiting goes on waiting until all is ready', () => {
  const spec = buildSpec([web, database], [routeTo('web')]);
  const world = observedWorld(spec);
  const generations = world.generations.filter(({ node }) => node !== 'db');
  const made = plan(spec, { previous: spec, observed: { ...world, generations, hold: 'switching' }, routes: sha256('wanted') });
  assert.deepEqual(shown(made), [
    'hold-routes',
    'pull-image db',
    'start db < hold-routes, pull-image db',
    'await-ready db < start db',
    'switch-address db < await-ready db',
    'switch-routes < switch-address db',
  ]);
});

test('where a node and what it needs both switch, the dependant stops first and starts last', () => {
  const exclusiveWeb = buildNode('web', { ...web, mounts: [mountAt('/app/data', 'exclusive')] });
  const made = between(
    [exclusiveWeb, database],
    [
      { ...exclusiveWeb, argv: ['v2'] },
      { ...database, argv: ['v2'] },
    ],
  );
  const steps = shown(made);
  assert.deepEqual(
    steps.filter((step) => step.startsWith('st')),
    [
      'stop web < hold-routes, pull-image web',
      'stop db < hold-routes, pull-image db, stop web',
      'start db < pull-image db, stop db',
      'start web < pull-image web, stop web, switch-address db',
    ],
  );
});

test('of two overlapping nodes the addresses switch together once both are ready, and the old ones stop dependants first', () => {
  const [api, other] = [buildNode('api', { relationships: [] }), buildNode('web', { relationships: [relatedTo('api')] })];
  const made = between(
    [api, other],
    [
      { ...api, argv: ['v2'] },
      { ...other, argv: ['v2'] },
    ],
  );
  assert.deepEqual(shown(made), [
    'pull-image api',
    'pull-image web',
    'start api < pull-image api',
    'await-ready api < start api',
    'start web < await-ready api, pull-image web',
    'await-ready web < start web',
    'switch-address api < await-ready web',
    'switch-address web < switch-address api',
    'switch-routes < switch-address api, switch-address web',
    'drain web < switch-routes',
    'stop web < drain web',
    'stop api < stop web, switch-routes',
  ]);
});

test('independent nodes have no edges between them', () => {
  const made = plan(buildSpec([buildNode('a'), buildNode('b')]), { observed: observedWorld(undefined, { network: true }) });
  const ofB = made.steps.filter((step) => 'node' in step && step.node === 'b').flatMap((step) => step.after);
  assert.ok(ofB.every((id) => id.includes(' b')));
});

test('memory and CPU change in place', () => {
  const resources = { cpu: 1, memoryBytes: 512 * 1024 * 1024, diskBytes: 0 };
  const made = between([web, database], [{ ...web, resources }, database]);
  assert.deepEqual(changed(made), ['keep db', 'update web: cpu changed (0.5 → 1); memory changed (256M → 512M) [in-place]']);
  assert.deepEqual(shown(made), ['resize web']);
});

test('more instances are started beside those that run; fewer are drained and removed by id', () => {
  const up = between([web, database], [{ ...web, instances: 3 }, database]);
  assert.deepEqual(changed(up), ['keep db', 'update web: instances changed (1 → 3)']);
  const down = between([{ ...web, instances: 3 }, database], [web, database]);
  assert.deepEqual(changed(down), ['keep db', 'update web: instances changed (3 → 1)']);
  assert.deepEqual(shown(down), [
    'switch-address web',
    'switch-routes < switch-address web',
    'drain web < switch-routes',
    'remove-instances web < drain web',
  ]);
  const removal = down.steps.find((step) => step.kind === 'remove-instances');
  assert.deepEqual(
    removal?.kind === 'remove-instances' && removal.instances,
    [1, 2].map((index) => observedInstance(web, index).id),
  );
});

for (const [what, overrides, reason] of [
  ['crashed', { state: 'exited', exitCode: 137, outOfMemory: true }, 'an instance ran out of memory'],
  ['unready', { readiness: 'unready' }, 'an instance does not answer any more'],
  ['never started', { state: 'created' }, 'an instance was never started'],
] as const) {
  test(`an instance that is ${what} is removed and started again`, () => {
    const spec = buildSpec([web, database], [routeTo('web')]);
    const broken = observedGeneration(web, { instances: [observedInstance(web, 0, overrides)] });
    const observed = observedWorld(spec, { generations: [broken, observedGeneration(database)] });
    const made = plan(spec, { previous: spec, observed });
    assert.deepEqual(changed(made), ['keep db', `update web: ${reason}`]);
    assert.deepEqual(shown(made), [
      'pull-image web',
      'remove-instances web < pull-image web',
      'start web < pull-image web, remove-instances web',
      'await-ready web < start web',
      'switch-address web < await-ready web',
      'switch-routes < switch-address web',
    ]);
  });
}

test('a node that is gone is drained and stopped once the release serves, dependants first', () => {
  const made = between([web, database, buildNode('old', { relationships: [relatedTo('db')] })], [buildNode('web', { code: 'code-2' })]);
  assert.deepEqual(changed(made).slice(0, 2), ['remove db: not in the release any more', 'remove old: not in the release any more']);
  assert.deepEqual(
    shown(made).filter((step) => step.startsWith('stop')),
    ['stop old < switch-routes', 'stop web < drain web', 'stop db < stop old, stop web, switch-routes'],
  );
});

test('hooks run once for a new node: deploy before its start, post_deploy when the routes are switched', () => {
  const hooked = { ...web, hooks: { deploy: './migrate', postDeploy: './warm', postStart: undefined } };
  const spec = buildSpec([hooked, database], [routeTo('web')]);
  assert.deepEqual(
    shown(plan(spec)).filter((step) => step.includes('web')),
    [
      'pull-image web',
      'run-job web deploy < create-network, pull-image web, switch-address db',
      'start web < create-network, pull-image web, run-job web deploy',
      'await-ready web < start web',
      'switch-address web < await-ready web',
      'switch-routes < switch-address web',
      'run-job web post_deploy < pull-image web, switch-routes',
    ],
  );
  const done = (['deploy', 'post_deploy'] as const).map((hook) => ({ node: nodeName('web'), hook, state: 'succeeded' as const }));
  const again = plan(spec, { jobs: done });
  assert.ok(again.steps.every((step) => step.kind !== 'run-job'));
  const woken = plan(spec, { previous: spec });
  assert.ok(
    woken.steps.every((step) => step.kind !== 'run-job'),
    'a node that only runs again runs no hooks',
  );
});

test('a hook that changed runs although its node stays as it is, and once', () => {
  const hooked = (deploy: string): NodeSpec => ({ ...web, hooks: { deploy, postDeploy: undefined, postStart: undefined } });
  const made = between([hooked('./old'), database], [hooked('./new'), database]);
  assert.deepEqual(changed(made), ['keep db', 'update web: the hook deploy has not run [in-place]']);
  assert.deepEqual(shown(made), ['pull-image web', 'run-job web deploy < pull-image web']);
  const jobs = [{ node: nodeName('web'), hook: 'deploy', state: 'succeeded' as const }];
  assert.deepEqual(between([hooked('./old'), database], [hooked('./new'), database], { jobs }).steps, []);
});

test('a hook that is recorded as failed stays in the plan, for the executor to fail', () => {
  const hooked = { ...web, hooks: { deploy: './migrate', postDeploy: undefined, postStart: undefined } };
  const jobs = [{ node: nodeName('web'), hook: 'deploy', state: 'failed' as const }];
  assert.ok(plan(buildSpec([hooked, database]), { jobs }).steps.some((step) => step.id === 'run-job web deploy'));
});

test('an instance nobody has seen ready is waited for before routes lead to it', () => {
  const spec = buildSpec([web], [routeTo('web')]);
  const unseen = observedGeneration(web, { instances: [observedInstance(web, 0, { readiness: 'unknown' })] });
  const made = plan(spec, { observed: observedWorld(spec, { generations: [unseen] }) });
  assert.deepEqual(shown(made), ['await-ready web', 'switch-address web < await-ready web', 'switch-routes < switch-address web']);
});

test('a service is provisioned again, in place, before a node that begins to use it starts', () => {
  const service = buildNode('db', { ...database, provision: { argv: ['provision'], schemas: [] } });
  const made = between([buildNode('web'), service], [web, service]);
  assert.deepEqual(changed(made)[0], 'update db: what it provides to others changed [in-place]');
  assert.ok(
    shown(made).includes('start web < provision db, pull-image web') || shown(made).includes('start web < pull-image web, provision db'),
  );
});

test('a missing network, a missing volume and other routes are mended although all nodes run', () => {
  const spec = buildSpec([database], [routeTo('db')]);
  const observed = observedWorld(spec, { network: false, volumes: [] });
  const made = plan(spec, { previous: spec, observed, routes: sha256('other routes') });
  assert.deepEqual(changed(made), ['update db: the volume var-lib-db is missing [in-place]']);
  assert.deepEqual(shown(made), ['create-network', 'create-volumes db', 'switch-routes']);
});

test('a suspended environment shows its notice first, then stops dependants first; network, data and routes stay', () => {
  const spec = buildSpec([web, database], [routeTo('web')]);
  const made = plan(spec, { run: 'suspended', previous: spec, observed: observedWorld(spec), routes: sha256('notice') });
  assert.deepEqual(changed(made), ['remove db: suspended', 'remove web: suspended']);
  assert.deepEqual(shown(made), [
    'switch-routes',
    'drain web < switch-routes',
    'stop web < drain web',
    'stop db < stop web, switch-routes',
  ]);
  const asleep = plan(spec, { run: 'suspended', previous: spec, observed: observedWorld(spec, { generations: [] }) });
  assert.deepEqual(asleep.steps, []);
});

test('a deleted environment loses its routes first and its data last', () => {
  const spec = buildSpec([web, database]);
  const made = plan(spec, { exists: false, previous: spec, observed: observedWorld(spec) });
  assert.deepEqual(changed(made), ['remove db: the environment is deleted', 'remove web: the environment is deleted']);
  assert.deepEqual(shown(made), [
    'remove-routes',
    'stop web < remove-routes',
    'stop db < remove-routes, stop web',
    'remove-network < remove-routes, stop db, stop web',
    'remove-volumes < remove-network, remove-routes, stop db, stop web',
  ]);
  assert.deepEqual(plan(undefined, { exists: false }).steps, []);
});

test('an environment without a spec loses what a failed first attempt left, and nothing else', () => {
  const spec = buildSpec([web]);
  const made = plan(undefined, { observed: observedWorld(spec) });
  assert.deepEqual(shown(made), ['stop web']);
});

test('a ring of relationships is refused with its nodes named', () => {
  const ring = buildSpec([buildNode('a', { relationships: [relatedTo('b')] }), buildNode('b', { relationships: [relatedTo('a')] })]);
  assert.throws(
    () => plan(ring),
    (error) => isCoppiceError(error, 'invalid-configuration') && error.message === 'relationships form a ring: a → b → a',
  );
});

test('a chain of 6,000 new nodes is planned', () => {
  const nodes = Array.from({ length: 6_000 }, (_, index) => {
    return buildNode(`n${index}`, { relationships: index === 0 ? [] : [relatedTo(`n${index - 1}`)] });
  });
  const made = plan(buildSpec(nodes, [routeTo('n5999')]));
  assert.equal(made.steps.length, 1 + 6_000 * 4 + 1);
  assert.equal(made.steps.at(-1)?.kind, 'switch-routes');
});

test('what lets go of a volume early goes before what it needs, also where its successor rests', () => {
  const before = [
    buildNode('app', { mounts: [] }),
    buildNode('worker', { relationships: [relatedTo('api')], mounts: [{ ...mountAt('/data'), node: nodeName('app') }] }),
    buildNode('api'),
  ];
  const alone = buildNode('app', { mounts: [mountAt('/data', 'exclusive')] });
  const made = between(before, [alone], { resting: new Set([nodeName('app')]) }, [routeTo('app')]);
  assert.deepEqual(shown(made), ['stop worker', 'switch-routes < stop worker', 'stop api < switch-routes']);
});
