// Measures every row of the speed table, each beside its floor or peer in the same run. Arguments name groups: `npm run bench -- push plan`;
// `--idle-minutes N` and `--deployments N` shorten the idle row and the switches, `--large` adds 10 GB to `living`. Prints one table, writes
// .bench/results.json, and ends with 1 where a row misses its limit.
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchGroups } from './bench/bench-group.ts';
import type { BenchRow } from './bench/bench-row.ts';
import { machineFacts, table, writeResults } from './bench/report.ts';

const results = join(import.meta.dirname, '..', '.bench', 'results.json');
const { values, positionals: names } = parseArgs({
  options: {
    'idle-minutes': { type: 'string', default: '10' },
    deployments: { type: 'string', default: '100' },
    large: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const groups = benchGroups({
  idleMinutes: Number(values['idle-minutes']),
  deployments: Number(values.deployments),
  large: values.large,
});
const known = [...new Set(groups.map((group) => group.name))];
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0 || !(Number(values['idle-minutes']) > 0) || !(Number(values.deployments) > 0)) {
  console.error(`usage: npm run bench -- [${known.join(' | ')}]… [--idle-minutes MINUTES] [--deployments COUNT] [--large]`);
  process.exit(2);
}

const machine = machineFacts();
const rows: BenchRow[] = [];
let failed = false;
for (const group of groups.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`── ${group.name} (load ${loadavg()[0]?.toFixed(2)})`);
  try {
    rows.push(...(await group.run()));
  } catch (error) {
    // the other rows are worth having all the same
    failed = true;
    console.error(error);
  }
}
await writeResults(results, { v: 1, machine, loadAfter: loadavg(), rows });
console.log(`\n${table(rows)}\n\nwritten to ${results}`);
process.exitCode = !failed && rows.every((row) => row.ok) ? 0 : 1;
