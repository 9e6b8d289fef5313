import type { BackupRule, DataPolicy } from '@coppice/model';
import { readDuration } from './amounts.ts';
import { type Cursor, child, items } from './cursor.ts';
import { suggestion } from './nearest-name.ts';
import { quote } from './quote.ts';
import type { RawFile } from './raw-file.ts';
import { checkSchedule } from './read-crons.ts';
import type { Reading } from './reading.ts';

const timeoutBounds = { least: '1s', most: '1d' };

/** `data.sanitize`, which names an application. */
export function readDataPolicy(file: Cursor<RawFile>, reading: Reading): DataPolicy {
  const data = child(file, 'data');
  const sanitize = data && child(data, 'sanitize');
  if (sanitize === undefined) return { sanitize: undefined };
  const wanted = child(sanitize, 'node');
  const target = reading.nodes.get(sanitize.value.node);
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

/** `backups` in the order of the file. */
export function readBackups(file: Cursor<RawFile>, reading: Reading): readonly BackupRule[] {
  return items(child(file, 'backups')).map((rule) => {
    checkSchedule(child(rule, 'schedule'), reading.report);
    return { schedule: rule.value.schedule, keep: rule.value.keep ?? 7 };
  });
}
