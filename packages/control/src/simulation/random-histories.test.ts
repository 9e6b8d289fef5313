import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './run-seeds.ts';
import { SeedReport } from './seed-report.ts';
import type { SeedResult } from './seed-thread.ts';

/** The seeds from 1 on. */
function* seedsUpTo(last: number): Iterable<number> {
  for (let seed = 1; seed <= last; seed += 1) yield seed;
}

async function resultsOf(seeds: Iterable<number>): Promise<readonly SeedResult[]> {
  const results: SeedResult[] = [];
  await runSeeds(seeds, (result) => results.push(result));
  return results.sort((a, b) => a.seed - b.seed);
}

test('a seed is replayed exactly: the same decisions in the same order, and the same end', async () => {
  assert.deepEqual(await resultsOf(seedsUpTo(20)), await resultsOf(seedsUpTo(20)));
});

test('in 2,000 random histories with kills, faults and harm every invariant holds after each effect, and all comes to rest as desired', async (t) => {
  const report = new SeedReport();
  let fewest = Number.POSITIVE_INFINITY;
  await runSeeds(seedsUpTo(2_000), (result) => {
    report.add(result);
    fewest = Math.min(fewest, result.effects);
  });
  for (const line of report.lines()) t.diagnostic(line);
  assert.equal(report.failed, 0, report.lines().join('\n'));
  assert.ok(fewest >= 30, `a history had only ${fewest} effects`);
});
