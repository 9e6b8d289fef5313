// Random histories of a simulated server, one per seed: `npm run simulate -- --seeds N [--from S]` runs many and sums up; `--seed S` replays
// one and prints every decision. Exit code 1 where an invariant did not hold.
import { parseArgs } from 'node:util';
import { runHistory } from '../packages/control/src/simulation/random-history.ts';
import { runSeeds } from '../packages/control/src/simulation/run-seeds.ts';
import { SeedReport } from '../packages/control/src/simulation/seed-report.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' } } });
const defaultSeeds = 2_000;

process.exitCode =
  values.seed === undefined ? await many(number('from') ?? 1, number('seeds') ?? defaultSeeds) : await one(number('seed') ?? 1);

async function one(seed: number): Promise<number> {
  const { trace, effects, violations } = await runHistory(seed);
  for (const line of trace) console.log(line);
  console.log(`seed ${seed}: ${trace.length} decisions, ${effects} effects`);
  for (const { invariant, detail } of violations) console.log(`✖ ${invariant}\n    ${detail}`);
  return violations.length === 0 ? 0 : 1;
}

async function many(from: number, count: number): Promise<number> {
  const report = new SeedReport();
  const startedMs = performance.now();
  let done = 0;
  await runSeeds(
    Array.from({ length: count }, (_, index) => from + index),
    (result) => {
      report.add(result);
      done += 1;
      for (const { invariant } of result.violations) console.log(`✖ seed ${result.seed}: ${invariant}`);
      if (done % 500 === 0) console.log(`${done} of ${count} seeds`);
    },
  );
  for (const line of report.lines()) console.log(line);
  console.log(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return report.failed === 0 ? 0 : 1;
}

function number(option: 'seeds' | 'from' | 'seed'): number | undefined {
  const text = values[option];
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${option} wants a whole number, not "${text}"`);
  return Number(text);
}
