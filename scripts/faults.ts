// The fault matrix on a real server: `npm run faults [-- GROUP…]`. Prints one table, and ends with 1 where anything was lost or late.
// `--every N` kills the server at every N-th effect only. The group `engine` kills and stops dockerd: it runs only where it is named, and
// only where no containers run but its own.
import { parseArgs } from 'node:util';
import { engineRows } from '../test/faults/engine-rows.ts';
import { crashRows, driftRows, resourceRows } from '../test/faults/fault-groups.ts';
import { type FaultRow, faultTable } from '../test/faults/fault-row.ts';

const { values, positionals: names } = parseArgs({ options: { every: { type: 'string', default: '1' } }, allowPositionals: true });
const startedMs = performance.now();
const print = (line: string): void => console.log(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${line}`);
const options = { every: Number(values.every), print };
const groups: Readonly<Record<string, () => Promise<readonly FaultRow[]>>> = {
  crash: () => crashRows(options),
  drift: () => driftRows(options),
  resources: () => resourceRows(options),
  engine: () => engineRows(options),
};
if (names.some((name) => !Object.hasOwn(groups, name)) || !(Number.isInteger(options.every) && options.every > 0)) {
  console.error(`usage: npm run faults -- [${Object.keys(groups).join(' | ')}]… [--every N]`);
  process.exit(2);
}

const rows: FaultRow[] = [];
let failed = false;
for (const [name, run] of Object.entries(groups)) {
  if (names.length === 0 ? name === 'engine' : !names.includes(name)) continue;
  print(`── ${name}`);
  try {
    rows.push(...(await run()));
  } catch (error) {
    // the other groups are worth having all the same
    failed = true;
    console.error(error);
  }
}
console.log(`\n${faultTable(rows)}`);
process.exitCode = failed || rows.some(({ lost }) => lost.length > 0) ? 1 : 0;
