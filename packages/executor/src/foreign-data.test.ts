import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DataSource, isCoppiceError, nodeDigest, type SnapshotId, sha256 } from '@coppice/model';
import { buildSpec, deploymentId, mountAt, nodeName, relatedTo, routeTo } from '@coppice/model/builders';
import { EnvironmentFixture, probedNode, type Wish } from './environment-fixture.ts';
import type { StepResult } from './execute-plan.ts';
import { SimulatedCrash } from './simulated-crash.ts';

const [from, larger, aside] = ['b_from' as SnapshotId, 'b_larger' as SnapshotId, 'b_aside' as SnapshotId];
const db = probedNode('db', { kind: 'service', mounts: [mountAt('/data', 'exclusive')] });
const cache = probedNode('cache', { kind: 'service', mounts: [mountAt('/data', 'exclusive')] });
const web = probedNode('web', { relationships: [relatedTo('db'), relatedTo('cache')], mounts: [mountAt('/files')] });
const page = probedNode('page', { relationships: [relatedTo('web')] });
const shop = buildSpec([db, cache, web, page], [routeTo('page')]);
const sanitizer = probedNode('web', { code: 'of the parent', relationships: [relatedTo('db')], mounts: [mountAt('/files')] });

const open: DataSource = { from, keep: false, aside };
const closed: DataSource = {
  ...open,
  sanitize: { node: nodeName('web'), run: './clean', timeoutMs: 60_000, spec: sha256('the parent') },
};
const copied = { 'db/data': 'rows of the parent', 'cache/data': 'keys of the parent', 'web/files': 'files of the parent' };

async function deployed(): Promise<EnvironmentFixture> {
  const environment = new EnvironmentFixture();
  assertDone(await environment.apply({ spec: shop }));
  environment.write('db', 'data', 'own rows');
  await environment.keepCopy(from, copied);
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
  assert.equal(failed.length, 1, JSON.stringify(results));
  assert.ok(isCoppiceError(failed[0]?.error), String(failed[0]?.error));
  return `${failed[0].error.code}: ${failed[0].error.message}`;
}

async function namesOf(environment: EnvironmentFixture): Promise<readonly string[]> {
  return (await environment.instances()).map(({ name, state }) => `${name} ${state}`);
}

async function assertServes(environment: EnvironmentFixture, wish: Wish & { readonly spec: typeof shop }): Promise<void> {
  assert.deepEqual(
    (await environment.instances()).map(({ name, state, digest }) => ({ name, state, digest })),
    wish.spec.nodes.map((node) => ({ name: `${node.name}.0`, state: 'running', digest: nodeDigest(node) })),
  );
  assert.deepEqual(environment.routed(), [await environment.idOf('page.0')]);
  assert.deepEqual((await environment.plan(wish)).plan.steps, []);
}

test('an environment gets other data, keeps its own aside, and who mounts none is the same as before', async () => {
  const environment = await deployed();
  const untouched = await environment.idOf('page.0');
  const wish = { spec: shop, dataGeneration: 1, dataSource: open };
  assertDone(await environment.apply(wish));
  await assertServes(environment, wish);
  assert.deepEqual(await environment.texts(), copied);
  assert.equal(await environment.idOf('page.0'), untouched);
  assert.deepEqual(
    (await environment.volumes.snapshots()).map(({ id }) => id),
    [aside],
  );
  const back = { spec: shop, dataGeneration: 2, dataSource: { from: aside, keep: true, aside: 'b_later' as SnapshotId } };
  assertDone(await environment.apply(back));
  assert.deepEqual(await environment.texts(), { 'cache/data': '', 'db/data': 'own rows', 'web/files': '' });
});

test('a new environment begins with the data that it is given', async () => {
  const environment = new EnvironmentFixture();
  await environment.keepCopy(from, copied);
  const wish = { spec: shop, dataGeneration: 1, dataSource: open };
  assertDone(await environment.apply(wish));
  await assertServes(environment, wish);
  assert.deepEqual(await environment.texts(), copied);
});

test('data that is nowhere to be found is told, and nothing starts on what was there', async () => {
  const environment = await deployed();
  await environment.volumes.removeSnapshot(from);
  const results = await environment.apply({ spec: shop, dataGeneration: 1, dataSource: open });
  assert.match(failureOf(results), /^not-found: there is no kept copy b_from/);
  assert.deepEqual(await namesOf(environment), ['page.0 running']);
  assert.equal((await environment.texts())['db/data'], 'own rows');
  assertDone(await environment.apply({ spec: shop }));
  await assertServes(environment, { spec: shop });
});

test('a hook that is still at work on the data is ended before the data is replaced', async () => {
  const environment = await deployed();
  const hooked = buildSpec([db, cache, { ...web, hooks: { deploy: './migrate', postDeploy: undefined, postStart: undefined } }, page]);
  environment.engine.behave('web deploy', {});
  const stop = new AbortController();
  const migrating = environment.apply({ spec: hooked, attempt: deploymentId('d_2') }, { signal: stop.signal, graceMs: 0 });
  while (environment.jobs.every(({ hook }) => hook !== 'deploy')) await new Promise((resolve) => setImmediate(resolve));
  // As a kill leaves it: the job runs, and its record says so.
  environment.engine.onEffect(() => {
    throw new SimulatedCrash('killed');
  });
  stop.abort();
  await migrating.catch(() => undefined);
  environment.engine.onEffect(() => undefined);
  assert.deepEqual(
    environment.engine.containers().flatMap(({ what }) => (what.kind === 'job' ? [what.hook] : [])),
    ['deploy'],
  );
  const results = await environment.apply({ spec: hooked, attempt: deploymentId('d_2'), dataGeneration: 1, dataSource: open });
  assert.match(failureOf(results), /^interrupted: the deploy hook of web was cut off/);
  assert.deepEqual(await environment.texts(), copied);
});

test('foreign data is sanitised with what it needs and nothing else, by the image of the release that demands it', async () => {
  const environment = await deployed();
  environment.engine.behave('web sanitize-1', { exits: { exitCode: 0 }, prints: ['3 rows are clean'] });
  const seen: string[] = [];
  const pulled: string[] = [];
  environment.engine.onEffect(({ kind, what }, moment) => {
    if (moment === 'before' && kind === 'start-container') seen.push(`${what}, ${environment.targetKind()}, ${environment.egress('db')}`);
    if (moment === 'before' && kind === 'pull-image') pulled.push(what);
  });
  const wish = { spec: shop, dataGeneration: 1, dataSource: closed, sanitizer };
  assertDone(await environment.apply(wish));
  assert.deepEqual(seen.slice(0, 2), ['db.0, hold, none', 'web sanitize-1, hold, none']);
  assert.deepEqual(seen.slice(2).sort(), ['cache.0, hold, open', 'web.0, hold, open']);
  assert.deepEqual(pulled, [sanitizer.image.config]);
  assert.ok(environment.said.includes('web sanitize: 3 rows are clean'), environment.said.join('\n'));
  await assertServes(environment, wish);
});

test('what came with foreign data and no node mounts is deleted, since nothing sanitises it', async () => {
  const environment = await deployed();
  await environment.keepCopy(larger, { ...copied, 'mail/spool': 'letters of the parent' });
  assertDone(await environment.apply({ spec: shop, dataGeneration: 1, dataSource: { ...closed, from: larger }, sanitizer }));
  assert.deepEqual(await environment.texts(), copied);
});

test('what came with open data stays, whoever mounts it', async () => {
  const environment = await deployed();
  await environment.keepCopy(larger, { ...copied, 'mail/spool': 'own letters' });
  assertDone(await environment.apply({ spec: shop, dataGeneration: 1, dataSource: { ...open, from: larger } }));
  assert.equal((await environment.texts())['mail/spool'], 'own letters');
});

test('data that comes later is sanitised anew, in the same deployment too', async () => {
  const environment = await deployed();
  assertDone(await environment.apply({ spec: shop, dataGeneration: 1, dataSource: closed, sanitizer }));
  await environment.keepCopy(from, copied);
  const again = { ...closed, aside: 'b_later' as SnapshotId };
  assertDone(await environment.apply({ spec: shop, dataGeneration: 2, dataSource: again, sanitizer }));
  const ran = environment.engine.effects.filter(({ kind }) => kind === 'start-container').map(({ what }) => what);
  assert.deepEqual(
    ran.filter((what) => what.includes('sanitize')),
    ['web sanitize-1', 'web sanitize-2'],
  );
});

test('data whose sanitising failed stays closed for whatever is deployed on it, and opens with a fresh copy', async () => {
  const environment = await deployed();
  environment.engine.behave('web sanitize-1', { exits: { exitCode: 4 }, prints: ['no such table'] });
  const wish = { spec: shop, dataGeneration: 1, dataSource: closed, sanitizer };
  assert.equal(
    failureOf(await environment.apply(wish)),
    'job-failed: the sanitize job of web ended with exit code 4; its last output:\n  no such table',
  );
  assert.deepEqual(await namesOf(environment), ['db.0 running', 'page.0 running']);
  assert.deepEqual(environment.routed(), []);
  environment.engine.behave('web sanitize-1', { exits: { exitCode: 0 } });
  const other = { ...wish, attempt: deploymentId('d_2') };
  assert.equal(failureOf(await environment.apply(other)), 'job-failed: the sanitize job of web has failed already');
  assert.deepEqual(await namesOf(environment), ['db.0 running', 'page.0 running']);
  await environment.keepCopy(from, copied);
  const fresh = { ...wish, dataGeneration: 2, dataSource: { ...closed, aside: 'b_later' as SnapshotId } };
  assertDone(await environment.apply(fresh));
  await assertServes(environment, fresh);
});

test('sanitising that hangs is ended at its limit', async () => {
  const environment = await deployed();
  environment.engine.behave('web sanitize-1', {});
  const sanitize = { node: nodeName('web'), run: './clean', timeoutMs: 20, spec: sha256('the parent') };
  const wish = { spec: shop, dataGeneration: 1, dataSource: { ...open, sanitize }, sanitizer };
  assert.match(failureOf(await environment.apply(wish)), /^job-failed: the sanitize job of web took longer than 0.02 s/);
  assert.deepEqual((await environment.observe(shop)).jobs, []);
});

test('sanitising that was cut off is not run a second time on the same copy', async () => {
  const environment = await deployed();
  environment.jobs.push({ deployment: deploymentId('d_0'), node: nodeName('web'), hook: 'sanitize-1', state: 'started' });
  const wish = { spec: shop, dataGeneration: 1, dataSource: closed, sanitizer };
  assert.match(failureOf(await environment.apply(wish)), /^interrupted: the sanitize job of web was cut off/);
  assert.deepEqual(environment.routed(), []);
});

test('what sanitises never runs without all of the data that its node has', async () => {
  const environment = new EnvironmentFixture();
  await environment.keepCopy(from, copied);
  const exclusive = { ...web, relationships: [], mounts: [mountAt('/files', 'exclusive')] };
  const spec = buildSpec([exclusive, page], [routeTo('page')]);
  const reverse = { ...sanitizer, relationships: [relatedTo('page')], mounts: exclusive.mounts };
  const results = await environment.apply({ spec, dataGeneration: 1, dataSource: closed, sanitizer: reverse });
  assert.match(failureOf(results), /^job-failed: web cannot be sanitised: what sanitises it needs something that needs web itself/);
});

test('a suspended environment gets its data, and sanitises it when it wakes', async () => {
  const environment = await deployed();
  const wish = { spec: shop, dataGeneration: 1, dataSource: closed, sanitizer };
  assertDone(await environment.apply({ ...wish, run: 'suspended' }));
  assert.deepEqual(await namesOf(environment), []);
  assert.deepEqual(await environment.texts(), copied);
  assert.deepEqual((await environment.plan({ ...wish, run: 'suspended' })).plan.steps, []);
  assertDone(await environment.apply(wish));
  assert.ok(environment.jobs.some(({ hook, state }) => hook === 'sanitize-1' && state === 'succeeded'));
  await assertServes(environment, wish);
});

const renamed = { ...db, name: nodeName('database'), movedFrom: nodeName('db') };
const renamedShop = buildSpec(
  [renamed, cache, { ...web, relationships: [relatedTo('database'), relatedTo('cache')] }, page],
  [routeTo('page')],
);
const moved: Wish & { readonly spec: typeof shop } = { spec: renamedShop, volumeMoves: [{ from: 'db', to: 'database' }] };

test('a renamed node has the data it had under its old name', async () => {
  const environment = await deployed();
  const untouched = await environment.idOf('cache.0');
  assertDone(await environment.apply(moved));
  await assertServes(environment, moved);
  assert.deepEqual(await environment.texts(), { 'cache/data': '', 'database/data': 'own rows', 'web/files': '' });
  assert.equal(await environment.idOf('cache.0'), untouched);
});

test('what a deleted environment held is kept where that is wished, and else is gone', async () => {
  const environment = await deployed();
  assertDone(await environment.apply({ spec: shop, exists: false, keepData: 'b_kept' as SnapshotId }));
  assert.equal(await environment.volumes.generation('e_test' as Parameters<typeof environment.volumes.generation>[0]), undefined);
  assert.deepEqual(
    (await environment.volumes.snapshots()).map(({ id }) => id),
    [from, 'b_kept'].sort(),
  );
  const other = await deployed();
  assertDone(await other.apply({ spec: shop, exists: false }));
  assert.deepEqual(
    (await other.volumes.snapshots()).map(({ id }) => id),
    [from],
  );
});

const sanitizing = { spec: shop, dataGeneration: 1, dataSource: closed, sanitizer };

for (const [what, before, to, texts] of [
  ['other data', 'served', { spec: shop, dataGeneration: 1, dataSource: open }, copied],
  ['other data that is to be sanitised', 'served', sanitizing, copied],
  ['a copy for a new environment', 'nothing', sanitizing, copied],
  ['a renamed node', 'served', moved, { 'cache/data': '', 'database/data': 'own rows', 'web/files': '' }],
  [
    'other data for a renamed node',
    'served',
    { ...moved, dataGeneration: 1, dataSource: open },
    { 'cache/data': copied['cache/data'], 'database/data': copied['db/data'], 'web/files': copied['web/files'] },
  ],
] as const) {
  test(`${what}, killed before or after any effect, is finished by the next start`, async () => {
    for (let effect = 0; ; effect += 1) {
      const environment = before === 'served' ? await deployed() : new EnvironmentFixture();
      if (before === 'nothing') await environment.keepCopy(from, copied);
      let left = effect;
      let isDead = false;
      const live = (): void => {
        if (isDead || left === 0) {
          isDead = true;
          throw new SimulatedCrash('killed');
        }
        left -= 1;
      };
      environment.engine.onEffect(live);
      environment.onVolumes = live;
      const outcome = await environment.apply(to).catch((error: unknown) => error);
      environment.engine.onEffect(() => undefined);
      environment.onVolumes = () => undefined;
      if (!isDead) {
        assert.ok(effect > 10, `only ${effect} effects`);
        break;
      }
      assert.ok(outcome instanceof SimulatedCrash, `effect ${effect}: ${String(outcome)}`);
      assertDone(await environment.apply(to));
      await assertServes(environment, to);
      assert.deepEqual(await environment.texts(), texts, `effect ${effect}`);
      const sanitized = environment.engine.effects.filter(({ kind, what: who }) => kind === 'start-container' && who.includes('sanitize'));
      assert.ok(sanitized.length <= 1, `effect ${effect}: sanitised ${sanitized.length} times`);
    }
  });
}
