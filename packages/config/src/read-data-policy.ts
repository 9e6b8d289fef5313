import type { BackupRule, DataPolicy } from '@coppice/model';
import { readDuration } from './amounts.ts';
import { type Cursor, child, items, valueAt } from './cursor.ts';
import { suggestion } from './nearest-name.ts';
import { quote } from './quote.ts';
import type { RawFile } from './raw-file.ts';
import { checkSchedule } from './read-crons.ts';
import type { Reading } from './reading.ts';
import type { Report } from './report.ts';

const timeoutBounds = { least: '1s', most: '1d' };

/** `data.sanitize`, which names an application. */
export function readDataPolicy(file: Cursor<RawFile>, reading: Reading): DataPolicy {
  const data = child(file, 'data');
  const sanitize = data && child(data, 'sanitize');
  if (sanitize === undefined) return { sanitize: undefined };
  const wanted = child(sanitize, 'node');
  const target = reading.nodes.get(sanitize.value.node);
  checkCommand(child(sanitize, 'run'), reading.report);
  const timeoutMs = readDuration(child(sanitize, 'timeout'), timeoutBounds, reading.report) ?? 600_000;
  if (target?.kind === 'application') return { sanitize: { node: target.name, run: sanitize.value.run, timeoutMs } };
  const applications = [...reading.nodes.values()].filter((node) => node.kind === 'application').map((node) => node.name);
  reading.report.error({
    code: 'unknown-node',
    at: (wanted ?? sanitize).place.value,
    message: `node: no application is named ${quote(sanitize.value.node)}`,
    hint: () => suggestion(sanitize.value.node, applications),
  });
  return { sanitize: undefined };
}

/** A blank command would succeed on every copy. */
function checkCommand(run: Cursor<string> | undefined, report: Report): void {
  if (run === undefined || run.value.trim() !== '') return;
  const message = 'run: this command does nothing, so every copy would pass as sanitised';
  report.error({ code: 'invalid-value', at: valueAt(run), message, hint: 'name what takes out of a copy what must not be seen' });
}

/** `backups` in the order of the file; no schedule stands twice. */
export function readBackups(file: Cursor<RawFile>, reading: Reading): readonly BackupRule[] {
  const seen = new Set<string>();
  return items(child(file, 'backups')).map((rule) => {
    const schedule = child(rule, 'schedule');
    const same = rule.value.schedule.trim().toLowerCase().replace(/\s+/g, ' ');
    if (schedule !== undefined && seen.has(same)) {
      const message = `schedule: ${quote(schedule.value)} stands twice`;
      reading.report.error({ code: 'invalid-value', at: valueAt(schedule), message, hint: 'keep one of them' });
    } else checkSchedule(schedule, reading.report);
    seen.add(same);
    return { schedule: rule.value.schedule, keep: rule.value.keep ?? 7 };
  });
}
