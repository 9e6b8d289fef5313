import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Desired,
  type Digest,
  type EnvironmentId,
  type NodeSpec,
  nodeDigest,
  type ObservedEnvironment,
  type SnapshotId,
} from '@coppice/model';
import { buildNode, buildSpec, nodeName, observedGeneration, observedWorld } from '@coppice/model/builders';
import { Lingering } from './lingering.ts';

const environment = 'e_1' as EnvironmentId;
const node = nodeName('web');
const wanted = buildNode('web', { argv: ['v2'] });
const desired: Desired = { exists: true, run: 'up', spec: buildSpec([wanted]), dataGeneration: 0, attempt: undefined };

function version(name: string): NodeSpec {
  return buildNode('web', { argv: [name] });
}

function world(...old: readonly NodeSpec[]): ObservedEnvironment {
  const all = [...old, wanted].map((spec) => observedGeneration(spec));
  return { ...observedWorld(buildSpec([wanted])), generations: all };
}

function digests({ generations }: ObservedEnvironment): readonly Digest[] {
  return generations.map(({ digest }) => digest);
}

function setUp(): { open: number; nowMs: number; readonly lingering: Lingering } {
  const state = { open: 1, nowMs: 0 };
  const clock = { now: () => new Date(state.nowMs), monotonicMs: () => state.nowMs };
  return Object.assign(state, { lingering: new Lingering({ openRequests: async () => state.open }, clock) });
}

test('what has open requests is hidden until its deadline', async () => {
  const now = setUp();
  const old = version('v1');
  const ref = { environment, node, digest: nodeDigest(old) };
  assert.deepEqual(digests(await now.lingering.hide(environment, desired, world(old))), [nodeDigest(old), nodeDigest(wanted)]);
  assert.equal(now.lingering.ask(ref), 'stay');
  assert.deepEqual(digests(await now.lingering.hide(environment, desired, world(old))), [nodeDigest(wanted)]);
  assert.equal(now.lingering.waitMs(environment), 5_000);
  now.nowMs = 60_000;
  assert.deepEqual(digests(await now.lingering.hide(environment, desired, world(old))), [nodeDigest(old), nodeDigest(wanted)]);
  assert.equal(now.lingering.ask(ref), 'go');
  assert.deepEqual(digests(await now.lingering.hide(environment, desired, world())), [nodeDigest(wanted)]);
  assert.equal(now.lingering.waitMs(environment), undefined);
});

test('once its requests have ended it is seen again, and goes', async () => {
  const now = setUp();
  const old = version('v1');
  const ref = { environment, node, digest: nodeDigest(old) };
  now.lingering.ask(ref);
  now.open = 0;
  assert.deepEqual(digests(await now.lingering.hide(environment, desired, world(old))), [nodeDigest(old), nodeDigest(wanted)]);
  assert.equal(now.lingering.ask(ref), 'go');
});

test('one that is desired again is no stranger, and an environment that sleeps or goes lets nothing stay', async () => {
  const now = setUp();
  const old = version('v1');
  now.lingering.ask({ environment, node, digest: nodeDigest(old) });
  const hidden = async (change: Partial<Desired>): Promise<boolean> =>
    !digests(await now.lingering.hide(environment, { ...desired, ...change }, world(old))).includes(nodeDigest(old));
  assert.equal(await hidden({}), true);
  assert.equal(await hidden({ run: 'suspended' }), false);
  now.lingering.forget(environment);
  now.lingering.ask({ environment, node, digest: nodeDigest(old) });
  assert.equal(await hidden({ spec: buildSpec([old]) }), false);
});

test('where the data is about to change nothing stays, since it may hold some', async () => {
  for (const change of [
    { dataGeneration: 1, dataSource: { from: 'b_1' as SnapshotId, keep: false, aside: 'b_2' as SnapshotId } },
    { volumeMoves: [{ from: 'db', to: 'database' }] },
  ]) {
    const now = setUp();
    const old = version('v1');
    now.lingering.ask({ environment, node, digest: nodeDigest(old) });
    const before = { ...world(old), volumes: [{ node: nodeName('db'), volume: 'data' }], dataGeneration: 0 };
    const changed = { ...before, volumes: [{ node: nodeName('database'), volume: 'data' }], dataGeneration: 1 };
    const seen = async (observed: ObservedEnvironment): Promise<number> =>
      (await now.lingering.hide(environment, { ...desired, ...change }, observed)).generations.length;
    assert.equal(await seen(changed), 1);
    assert.equal(await seen(before), 2);
  }
});

test('of one node two linger at most: the oldest goes first', async () => {
  const now = setUp();
  const old = ['a', 'b', 'c'].map(version);
  for (const spec of old) assert.equal(now.lingering.ask({ environment, node, digest: nodeDigest(spec) }), 'stay');
  const seen = digests(await now.lingering.hide(environment, desired, world(...old)));
  assert.deepEqual(
    seen,
    [old[0], wanted].flatMap((spec) => (spec ? [nodeDigest(spec)] : [])),
  );
});
