import { setTimeout as pause } from 'node:timers/promises';
import type { TestServer } from '../../test/e2e/harness.ts';
import { SteadyLoad } from '../../test/faults/steady-load.ts';
import { type BenchRow, judged, percentile } from './bench-row.ts';
import type { LivingEnvironment } from './living-environment.ts';

/** Half of them read a row, half write 100 KB: 5 MB per second. */
const perSecond = 100;
const steadyMs = 20_000;
const clones = 10;

/** What clients of a parent notice while it is cloned again and again: only the time that a clone takes counts, not what deletes it. */
export async function busyParentRows(server: TestServer, parent: LivingEnvironment): Promise<readonly BenchRow[]> {
  const load = new SteadyLoad({ address: server.routerAddress, host: parent.host('main'), perSecond });
  load.start();
  await pause(steadyMs);
  const floor = { name: 'without clones', measured: percentile(load.all(), 0.999) };
  const timesMs: number[] = [];
  const clonesMs: number[] = [];
  for (let run = 0; run < clones; run += 1) {
    load.reset();
    clonesMs.push(await parent.busyCloneMs('clone'));
    timesMs.push(...load.all());
    await parent.remove('clone');
  }
  const { lost, sent } = await load.stop();
  const name = `answers of a parent during ${clones} clones`;
  const note = `${timesMs.length} requests, half of them writes, together 5 MB/s; a clone took ${Math.round(percentile(clonesMs, 0.5))} ms meanwhile`;
  return [
    judged({ name: `${name}: p99.9`, measured: percentile(timesMs, 0.999), unit: 'ms', floor, limit: 200, note }),
    judged({ name: `${name}: longest`, measured: Math.max(...timesMs), unit: 'ms', limit: Number.POSITIVE_INFINITY }),
    judged({ name: `${name}: failed`, measured: lost.length, unit: 'count', limit: 0, note: lost.slice(0, 3).join('; ') || `of ${sent}` }),
  ];
}
