import type { TestServer } from '../../test/e2e/harness.ts';
import { type BenchRow, judged, median } from './bench-row.ts';
import { LivingEnvironment } from './living-environment.ts';
import { sized } from './living-rows.ts';

const sizes = [100, 1_000];
const runs = 3;

/** What a clone takes by a driver that cannot snapshot, and how long the parent stands still for it. For information: nothing is promised. */
export async function driverRows(server: TestServer, driver: 'reflink' | 'copy'): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const megabytes of sizes) {
    const parent = await LivingEnvironment.open(server, megabytes);
    const clonesMs: number[] = [];
    const logged = server.log.length;
    for (let run = 0; run < runs; run += 1) {
      clonesMs.push(await parent.cloneMs('clone'));
      await parent.remove('clone');
    }
    const name = `clone of ${sized(megabytes)} by ${driver}`;
    const limit = Number.POSITIVE_INFINITY;
    const note = `medians of ${runs}; the environment is frozen while it is copied`;
    rows.push(judged({ name, measured: median(clonesMs), unit: 'ms', limit, note }));
    rows.push(judged({ name: `${name}: the copy alone`, measured: median(capturesMs(server.log.slice(logged))), unit: 'ms', limit }));
  }
  return rows;
}

/** What the copies took by the server's log: CHECKPOINT, sync, copy. */
function capturesMs(log: string): readonly number[] {
  return log
    .split('\n')
    .flatMap((line) => (line.includes('"event":"data.captured"') ? [(JSON.parse(line) as { readonly ms: number }).ms] : []));
}
