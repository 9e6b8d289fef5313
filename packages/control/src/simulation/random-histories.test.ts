import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSound, seedsBetween } from './assert-sound.ts';
import { runSeeds } from './run-seeds.ts';
import type { SeedResult } from './seed-thread.ts';

async function resultsOf(seeds: Iterable<number>): Promise<readonly SeedResult[]> {
  const results: SeedResult[] = [];
  await runSeeds(seeds, (result) => results.push(result));
  return results.sort((a, b) => a.seed - b.seed);
}

test('a seed is replayed exactly: the same decisions in the same order, and the same end', async () => {
  assert.deepEqual(await resultsOf(seedsBetween(1, 20)), await resultsOf(seedsBetween(1, 20)));
});

// The 2,000 are lived once, in test/e2e.
test('in random histories with kills, faults and harm every invariant holds after each effect, and all comes to rest as desired', async (t) => {
  await assertSound(t, seedsBetween(2_001, 2_100));
});
