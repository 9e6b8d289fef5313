import type { Cron } from '@coppice/model';
import { readDuration } from './amounts.ts';
import { cronSpecProblem } from './cron-spec.ts';
import { type Cursor, child, entries } from './cursor.ts';
import { quote } from './quote.ts';
import type { RawCron } from './raw-file.ts';
import type { Report } from './report.ts';

const timeoutBounds = { least: '1s', most: '7d' };
const dayMs = 86_400_000;

/** Crons sorted by name. */
export function readCrons(cursor: Cursor<Readonly<Record<string, RawCron>>> | undefined, report: Report): readonly Cron[] {
  const crons = entries(cursor).map((cron): Cron => {
    checkSchedule(child(cron, 'spec'), report);
    return {
      name: cron.name,
      spec: cron.value.spec,
      start: cron.value.commands.start,
      timeoutMs: readDuration(child(cron, 'timeout'), timeoutBounds, report) ?? dayMs,
      wake: cron.value.wake ?? false,
    };
  });
  return crons.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Reports a schedule that cannot be read. */
export function checkSchedule(schedule: Cursor<string> | undefined, report: Report): void {
  const problem = schedule && cronSpecProblem(schedule.value);
  if (schedule === undefined || problem === undefined) return;
  const message = `${schedule.name}: ${quote(schedule.value)} is no schedule`;
  report.error({ code: 'invalid-cron', at: schedule.place.value, message, hint: problem });
}
