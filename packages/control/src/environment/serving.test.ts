import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeDigest, type ObservedGeneration, type ObservedInstance } from '@coppice/model';
import { buildNode, buildSpec, observedGeneration, observedInstance } from '@coppice/model/builders';
import { servingNow, unconfirmed } from './serving.ts';

const before = buildNode('web', { code: 'before' });
const wanted = buildNode('web', { code: 'wanted' });
const spec = buildSpec([wanted]);

function generation(node: typeof wanted, ...instances: readonly Partial<ObservedInstance>[]): ObservedGeneration {
  return observedGeneration(node, { instances: instances.map((overrides, index) => observedInstance(node, index, overrides)) });
}

function servesWanted(...generations: readonly ObservedGeneration[]): boolean {
  const serving = servingNow(spec, generations).get(wanted.name);
  assert.ok(serving === nodeDigest(wanted) || serving === nodeDigest(before));
  return serving === nodeDigest(wanted);
}

test('the desired generation serves once all of it is ready', () => {
  assert.equal(servesWanted(generation(before, {}), generation(wanted, {}, {})), true);
});

for (const [state, instance] of [
  ['is not ready', { readiness: 'unready' }],
  ['is not known to be ready', { readiness: 'unknown' }],
  ['does not run', { state: 'created' }],
] as const) {
  test(`while one instance of the desired generation ${state}, the one that still runs serves`, () => {
    assert.equal(servesWanted(generation(wanted, {}, instance), generation(before, { readiness: 'unready' })), false);
  });
}

test('a desired generation without instances does not serve in place of one that runs', () => {
  assert.equal(servesWanted(generation(wanted), generation(before, {})), false);
});

test('where nothing else runs, the desired generation serves, ready or not, there or not', () => {
  assert.equal(servesWanted(generation(wanted, { readiness: 'unready' }), generation(before, { state: 'exited' })), true);
  assert.equal(servesWanted(), true);
});

test('a node that is not desired any more serves with what is there of it', () => {
  const [gone, goneToo] = [buildNode('gone', { code: 'a' }), buildNode('gone', { code: 'b' })];
  assert.deepEqual(
    servingNow(spec, [generation(gone, {}), generation(goneToo, {})]),
    new Map([
      [wanted.name, nodeDigest(wanted)],
      [gone.name, nodeDigest(gone)],
    ]),
  );
});

test('no route leads to desired instances that nobody saw ready; old ones serve on', () => {
  const generations = [
    generation(before, { id: 'old', readiness: 'unknown' }),
    generation(wanted, { id: 'new', readiness: 'unknown' }, { id: 'seen' }),
  ];
  const desired = { exists: true, run: 'up', spec, dataGeneration: 0, attempt: undefined } as const;
  assert.deepEqual(unconfirmed({ desired }, { generations }), ['new']);
});
