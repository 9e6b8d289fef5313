// Measures every row of the speed table, each beside its floor or peer in the same run. Arguments name groups: `npm run bench -- push plan`.
// Prints one table, writes .bench/results.json, and ends with 1 where a row misses its limit.
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { benchGroups } from './bench/bench-group.ts';
import type { BenchRow } from './bench/bench-row.ts';
import { machineFacts, table, writeResults } from './bench/report.ts';

const results = join(import.meta.dirname, '..', '.bench', 'results.json');
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const known = benchGroups.map((group) => group.name);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  process.exit(2);
}

const machine = machineFacts();
const rows: BenchRow[] = [];
for (const group of benchGroups.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`── ${group.name} (load ${loadavg()[0]?.toFixed(2)})`);
  const measured = await group.run();
  console.log(table(measured));
  rows.push(...measured);
}
await writeResults(results, { v: 1, machine, loadAfter: loadavg(), rows });
console.log(`\n${table(rows)}\n\nwritten to ${results}`);
process.exitCode = rows.every((row) => row.ok) ? 0 : 1;
