import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { runSeeds } from './run-seeds.ts';
import { SeedReport } from './seed-report.ts';

/** Every seed between two, both included. */
export function* seedsBetween(first: number, last: number): Iterable<number> {
  for (let seed = first; seed <= last; seed += 1) yield seed;
}

/** Lives the histories of these seeds; fails, and names what replays it, where one breaks an invariant or is too short to tell anything. */
export async function assertSound(t: TestContext, seeds: Iterable<number>): Promise<void> {
  const report = new SeedReport();
  let fewest = Number.POSITIVE_INFINITY;
  await runSeeds(seeds, (result) => {
    report.add(result);
    fewest = Math.min(fewest, result.effects);
  });
  for (const line of report.lines()) t.diagnostic(line);
  assert.equal(report.failed, 0, report.lines().join('\n'));
  assert.ok(fewest >= 30, `a history had only ${fewest} effects`);
}
