import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError, isCoppiceError, nodeDigest } from '@coppice/model';
import { buildSpec, deploymentId, mountAt, nodeName, relatedTo, routeTo } from '@coppice/model/builders';
import { EnvironmentFixture, probedNode } from './environment-fixture.ts';
import type { StepResult } from './execute-plan.ts';
import { SimulatedCrash } from './simulated-crash.ts';

const db = probedNode('db', {
  kind: 'service',
  mounts: [mountAt('/var/lib/db', 'exclusive')],
  provision: { argv: ['provision'], schemas: [] },
});
const web = probedNode('web', { relationships: [relatedTo('db')] });
const routes = [routeTo('web')];
const first = buildSpec([db, web], routes);
const second = buildSpec([db, { ...web, argv: ['node', 'v2.js'] }], routes);

async function deployed(): Promise<EnvironmentFixture> {
  const environment = new EnvironmentFixture();
  assertDone(await environment.apply({ spec: first }));
  return environment;
}

function assertDone(results: readonly StepResult[]): void {
  assert.deepEqual(
    results.filter(({ state }) => state !== 'done'),
    [],
  );
}

function failureOf(results: readonly StepResult[]): string {
  const failed = results.filter(({ state }) => state === 'failed');
  assert.equal(failed.length, 1);
  assert.ok(isCoppiceError(failed[0]?.error), String(failed[0]?.error));
  return `${failed[0].error.code}: ${failed[0].error.message}`;
}

async function assertServes(environment: EnvironmentFixture, spec: typeof first): Promise<void> {
  const there = (await environment.instances()).map(({ name, state, digest }) => ({ name, state, digest }));
  assert.deepEqual(
    there,
    spec.nodes.map((node) => ({ name: `${node.name}.0`, state: 'running', digest: nodeDigest(node) })),
  );
  assert.deepEqual(environment.routed(), [await environment.idOf('web.0')]);
  for (const called of spec.nodes.flatMap((node) => node.relationships)) {
    assert.equal(environment.servingAddresses(called.node).length, 1);
  }
  assert.deepEqual((await environment.plan({ spec })).plan.steps, []);
}

test('a new release is brought up, routed, and then as desired', async () => {
  await assertServes(await deployed(), first);
});

test('a changed node is replaced, and the container of the one it needs is the same', async () => {
  const environment = await deployed();
  const [database, old] = [await environment.idOf('db.0'), await environment.idOf('web.0')];
  assertDone(await environment.apply({ spec: second }));
  await assertServes(environment, second);
  assert.equal(await environment.idOf('db.0'), database);
  assert.notEqual(await environment.idOf('web.0'), old);
});

test('while an exclusive volume changes hands, requests to what needs it wait, and then go on', async () => {
  const environment = await deployed();
  const seen: string[] = [];
  const replaced = buildSpec([{ ...db, argv: ['v2'] }, web], routes);
  const results = await environment.apply(
    { spec: replaced },
    { onEffect: (moment, step) => void (moment === 'before' && seen.push(`${step.kind} ${environment.targetKind()}`)) },
  );
  assertDone(results);
  assert.deepEqual(seen, [
    'pull-image upstream',
    'hold-routes upstream',
    'stop hold',
    'start hold',
    'provision hold',
    'await-ready hold',
    'switch-address hold',
    'switch-routes hold',
  ]);
  await assertServes(environment, replaced);
});

test('what waits when a plan is cut goes on waiting until the next one is done', async () => {
  const environment = await deployed();
  const replaced = buildSpec(
    [
      { ...db, argv: ['v2'] },
      { ...web, argv: ['v2'] },
    ],
    routes,
  );
  const cut = environment.apply(
    { spec: replaced },
    {
      onEffect: (moment, step) => {
        if (moment === 'before' && step.kind === 'start') throw new SimulatedCrash();
      },
    },
  );
  await assert.rejects(cut, SimulatedCrash);
  const seen = new Set<string>();
  assertDone(await environment.apply({ spec: replaced }, { onEffect: () => void seen.add(environment.targetKind()) }));
  assert.deepEqual([...seen], ['hold', 'upstream']);
  await assertServes(environment, replaced);
});

test('a release that exits is refused with exit code and output, and the old one serves unharmed', async () => {
  const environment = await deployed();
  const old = await environment.idOf('web.0');
  environment.engine.behave('web', { exits: { exitCode: 3 }, prints: ['no such module'] });
  assert.equal(
    failureOf(await environment.apply({ spec: second })),
    'not-ready: web ended with exit code 3 before it was ready; its last output:\n  no such module',
  );
  assert.deepEqual(environment.routed(), [old]);
  environment.engine.behave('web', {});
  assertDone(await environment.apply({ spec: first }));
  await assertServes(environment, first);
});

test('running out of memory and never answering are told apart', async () => {
  const environment = await deployed();
  environment.engine.behave('web', { exits: { exitCode: 137, outOfMemory: true } });
  assert.match(failureOf(await environment.apply({ spec: second })), /^not-ready: web ran out of memory \(it has 256 MiB\)/);
  assertDone(await environment.apply({ spec: first }));
  environment.engine.behave('web', { readyAfterProbes: Number.POSITIVE_INFINITY });
  assert.match(
    failureOf(await environment.apply({ spec: second })),
    /^not-ready: web did not become ready within 0.05 s: ready ended with 1/,
  );
});

test('a provisioning that fails says what it printed', async () => {
  const environment = new EnvironmentFixture();
  environment.engine.behave('db', { exec: () => ({ exitCode: 2, stdout: '', stderr: 'role exists' }) });
  assert.match(failureOf(await environment.apply({ spec: first })), /^not-ready: provisioning db failed: exit code 2: role exists/);
});

test('nothing leads to an instance that was started and is not ready yet', async () => {
  const environment = await deployed();
  environment.engine.behave('web', { readyAfterProbes: Number.POSITIVE_INFINITY });
  // The address of another node is switched meanwhile, which swaps the whole policy.
  const scaled = buildSpec([db, { ...web, instances: 2 }, probedNode('more')], routes);
  const before = environment.servingAddresses(nodeName('web'));
  failureOf(await environment.apply({ spec: scaled }));
  assert.deepEqual(environment.servingAddresses(nodeName('web')), before);
});

test('instances that are too many leave addresses and routes, drain by themselves, and go', async () => {
  const environment = new EnvironmentFixture();
  assertDone(await environment.apply({ spec: buildSpec([db, { ...web, instances: 3 }], routes) }));
  assert.equal(environment.routed().length, 3);
  const kept = (await environment.instances()).filter(({ name }) => name === 'web.0').map(({ id }) => id);
  environment.router.holdRequests(kept[0] ?? '', 5); // the one that stays is busy, which holds up nobody
  assertDone(await environment.apply({ spec: first }));
  assert.deepEqual(environment.routed(), kept);
  await assertServes(environment, first);
});

test('a service is told of a new dependant once, before that starts, and the plan settles', async () => {
  const environment = await deployed();
  const api = probedNode('api', { relationships: [relatedTo('db')] });
  const wish = { spec: buildSpec([db, web, api], routes) };
  const { plan } = await environment.plan(wish);
  assert.ok(plan.steps.some(({ kind }) => kind === 'provision'));
  assertDone(await environment.apply(wish));
  environment.served = first; // as in the control plane, until the deployment has succeeded
  assert.deepEqual((await environment.plan(wish)).plan.steps, []);
});

test('what cannot be observed, schemas and the firewall, is changed once', async () => {
  const environment = await deployed();
  const wish = {
    spec: buildSpec(
      [
        { ...db, provision: { argv: ['provision'], schemas: ['more'] } },
        { ...web, egress: 'none' },
      ],
      routes,
    ),
    attempt: deploymentId('d_2'),
  };
  assert.deepEqual(
    (await environment.plan(wish)).plan.steps.map(({ kind }) => kind),
    ['provision', 'switch-address', 'switch-routes'],
  );
  assertDone(await environment.apply(wish));
  environment.served = first;
  assert.deepEqual((await environment.plan(wish)).plan.steps, []);
});

test('a crashed instance is replaced by one of the same digest', async () => {
  const environment = await deployed();
  environment.engine.crash(await environment.idOf('web.0'), { exitCode: 1 });
  assertDone(await environment.apply({ spec: first }));
  await assertServes(environment, first);
});

test('a hook runs once per deployment, and its output is in the log', async () => {
  const hooked = buildSpec([db, { ...web, hooks: { deploy: './migrate', postDeploy: undefined, postStart: undefined } }], routes);
  const environment = new EnvironmentFixture();
  environment.engine.behave('web deploy', { exits: { exitCode: 0 }, prints: ['migrated'] });
  assertDone(await environment.apply({ spec: hooked }));
  assert.deepEqual(environment.said, ['web deploy: migrated']);
  assert.deepEqual(
    environment.jobs.filter(({ node }) => node === 'web').map(({ hook, state }) => [hook, state]),
    [['deploy', 'succeeded']],
  );
  assert.deepEqual((await environment.observe(hooked)).jobs, []);
});

test('a hook that failed is not run again in the same deployment', async () => {
  const hooked = buildSpec([db, { ...web, hooks: { deploy: './migrate', postDeploy: undefined, postStart: undefined } }], routes);
  const environment = new EnvironmentFixture();
  environment.engine.behave('web deploy', { exits: { exitCode: 7 }, prints: ['no table'] });
  assert.equal(
    failureOf(await environment.apply({ spec: hooked })),
    'job-failed: the deploy hook of web ended with exit code 7; its last output:\n  no table',
  );
  environment.engine.behave('web deploy', { exits: { exitCode: 0 } });
  assert.equal(failureOf(await environment.apply({ spec: hooked })), 'job-failed: the deploy hook of web has failed already');
  assertDone(await environment.apply({ spec: hooked, attempt: deploymentId('d_2') }));
});

test('a post_deploy hook that fails is told and not run again: the release serves already', async () => {
  const hooked = buildSpec([db, { ...web, hooks: { deploy: undefined, postDeploy: './warm', postStart: undefined } }], routes);
  const environment = new EnvironmentFixture();
  environment.engine.behave('web post_deploy', { exits: { exitCode: 7 }, prints: ['no cache'] });
  assertDone(await environment.apply({ spec: hooked }));
  assert.match(
    environment.said.join('\n'),
    /the post_deploy hook of web ended with exit code 7.*\n.*no cache\nthe release serves all the same$/,
  );
  await assertServes(environment, hooked);
  const cutOff = new EnvironmentFixture();
  cutOff.jobs.push({ deployment: deploymentId('d_1'), node: nodeName('web'), hook: 'post_deploy', state: 'started' });
  assertDone(await cutOff.apply({ spec: hooked }));
  assert.match(cutOff.said.join('\n'), /was cut off and may have half run/);
  await assertServes(cutOff, hooked);
});

test('a hook that was started and is gone was cut off', async () => {
  const hooked = buildSpec([db, { ...web, hooks: { deploy: './migrate', postDeploy: undefined, postStart: undefined } }], routes);
  const environment = new EnvironmentFixture();
  environment.jobs.push({ deployment: deploymentId('d_1'), node: nodeName('web'), hook: 'deploy', state: 'started' });
  assert.match(failureOf(await environment.apply({ spec: hooked })), /^interrupted: /);
});

test('what a failed attempt left of a node that no release names can be stopped', async () => {
  const environment = await deployed();
  environment.engine.behave('more', { exits: { exitCode: 1 } });
  failureOf(await environment.apply({ spec: buildSpec([db, web, probedNode('more')], routes) }));
  assertDone(await environment.apply({ spec: first }));
  await assertServes(environment, first);
});

test('nothing leads any more to what a failed attempt left when that is stopped, although the attempt was told its routes were not switched', async () => {
  const environment = await deployed();
  const [one, other] = [nodeName('db'), nodeName('more')];
  const more = probedNode('more', { mounts: [mountAt('/var/lib/db', 'exclusive')] });
  const lost = (moment: string, { kind }: { readonly kind: string }): void => {
    if (moment === 'after' && kind === 'switch-routes') throw new CoppiceError('engine-failed', 'the answer was lost');
  };
  const attempt = { spec: buildSpec([more], [routeTo('more')]), volumeMoves: [{ from: one, to: other }] };
  assert.match(failureOf(await environment.apply(attempt, { onEffect: lost })), /the answer was lost/);
  const left = await environment.idOf('more.0');
  assert.deepEqual(environment.routed(), [left]);
  let isStopped = false;
  const stopped = (moment: string, step: { readonly id: string }): void => {
    if (moment !== 'after' || !step.id.startsWith('stop more')) return;
    isStopped = true;
    assert.ok(!environment.routed().includes(left));
  };
  const back = { spec: first, volumeMoves: [{ from: other, to: one }] };
  assertDone(await environment.apply(back, { onEffect: stopped }));
  assert.ok(isStopped);
  await assertServes(environment, first);
});

test('a deleted environment leaves nothing, jobs included', async () => {
  const environment = await deployed();
  assertDone(await environment.apply({ spec: first, exists: false }));
  assert.deepEqual(await environment.observe(undefined), {
    network: false,
    generations: [],
    jobs: [],
    volumes: [],
    dataGeneration: undefined,
    routes: undefined,
    hold: undefined,
  });
});

for (const [what, from, to] of [
  ['a first deployment', undefined, first],
  ['a replacement', first, second],
  [
    'a switch of an exclusive volume',
    first,
    buildSpec(
      [
        { ...db, argv: ['v2'] },
        { ...web, argv: ['v2'] },
      ],
      routes,
    ),
  ],
] as const) {
  test(`${what} that is killed before or after any effect is finished by the next start`, async () => {
    for (let effect = 0; ; effect += 1) {
      const environment = new EnvironmentFixture();
      if (from) assertDone(await environment.apply({ spec: from }));
      let left = effect;
      let dead = false;
      environment.engine.onEffect(() => {
        if (dead || left === 0) {
          dead = true;
          throw new SimulatedCrash('killed');
        }
        left -= 1;
      });
      const outcome = await environment.apply({ spec: to }).catch((error: unknown) => error);
      environment.engine.onEffect(() => undefined);
      if (!dead) {
        assert.ok(effect > 10, `only ${effect} effects`);
        break;
      }
      assert.ok(outcome instanceof SimulatedCrash, `effect ${effect}: ${String(outcome)}`);
      assertDone(await environment.apply({ spec: to }));
      await assertServes(environment, to);
    }
  });
}
