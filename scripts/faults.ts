// The fault matrix on a real server: `npm run faults [-- GROUP…]`. Prints what was tried and lost, then the figures of switches under load,
// wakes and pushes at once, which are groups of `npm run bench` as well; ends with 1 where anything was lost or late.
// `--every N` kills the server at every N-th effect only. For changes of data, `--only TEXT` takes those with that in their name ("copies under a
// writer" are a hundred of all kinds, without a kill), and `--slack N` lets all take N times as long. The group `engine` kills and stops dockerd:
// it is left out where containers of others run.
import { parseArgs } from 'node:util';
import { dataCrashRows } from '../test/faults/data-groups.ts';
import { engineIsInUse, engineRows } from '../test/faults/engine-rows.ts';
import { copyRows, crashRows, driftRows, resourceRows } from '../test/faults/fault-groups.ts';
import { type FaultRow, faultTable } from '../test/faults/fault-row.ts';
import { fullDiskRows } from '../test/faults/full-disk.ts';
import { benchGroups } from './bench/bench-group.ts';
import type { BenchRow } from './bench/bench-row.ts';
import { table } from './bench/report.ts';

const { values, positionals: names } = parseArgs({
  options: {
    every: { type: 'string', default: '1' },
    deployments: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
    slack: { type: 'string', default: '1' },
  },
  allowPositionals: true,
});
const startedMs = performance.now();
const print = (line: string): void => console.log(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${line}`);
const options = { every: Number(values.every), print };
const slack = Number(values.slack);
const dataOptions = { ...options, only: values.only, slack };
const figures = benchGroups({ idleMinutes: 10, deployments: Number(values.deployments), large: false }).filter(({ name }) =>
  ['switch', 'wake', 'many'].includes(name),
);
const groups: Readonly<Record<string, () => Promise<readonly FaultRow[]>>> = {
  crash: () => crashRows(options),
  drift: () => driftRows(options),
  resources: () => resourceRows(options),
  copies: async () => [
    ...('copies under a writer'.includes(values.only) ? await copyRows({ copies: 100, print }) : []),
    ...(await dataCrashRows(dataOptions)),
  ],
  room: () => fullDiskRows({ every: 1, print, slack }),
  engine: () => engineRows(options),
};
const known = [...Object.keys(groups), ...figures.map(({ name }) => name)];
if (
  names.some((name) => !known.includes(name)) ||
  !(Number(values.deployments) > 0) ||
  !(Number.isInteger(options.every) && options.every > 0) ||
  !(slack > 0)
) {
  console.error(`usage: npm run faults -- [${known.join(' | ')}]… [--every N] [--deployments N] [--only TEXT] [--slack N]`);
  process.exit(2);
}

const rows: FaultRow[] = [];
let failed = false;
for (const [name, run] of Object.entries(groups)) {
  if (names.length > 0 && !names.includes(name)) continue;
  if (names.length === 0 && name === 'engine' && (await engineIsInUse())) {
    print('engine: left out, since containers of others run');
    continue;
  }
  print(`── ${name}`);
  try {
    rows.push(...(await run()));
  } catch (error) {
    // the other groups are worth having all the same
    failed = true;
    console.error(error);
  }
}
const measured: BenchRow[] = [];
for (const { name, run } of figures.filter((group) => names.length === 0 || names.includes(group.name))) {
  print(`── ${name}`);
  try {
    measured.push(...(await run()));
  } catch (error) {
    failed = true;
    console.error(error);
  }
}
if (rows.length > 0) console.log(`\n${faultTable(rows)}`);
if (measured.length > 0) console.log(`\n${table(measured)}`);
process.exitCode = failed || rows.some(({ lost }) => lost.length > 0) || measured.some(({ ok }) => !ok) ? 1 : 0;
