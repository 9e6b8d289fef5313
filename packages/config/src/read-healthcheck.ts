import type { Healthcheck } from '@coppice/model';
import { readDuration } from './amounts.ts';
import { type Cursor, child, keyAt } from './cursor.ts';
import type { RawHealthcheck } from './raw-file.ts';
import type { Report } from './report.ts';

const bounds = { least: '500ms', most: '1h' };

/** The health check with its defaults: every 10 s, each at most 5 s. Path and command together are an error. */
export function readHealthcheck(cursor: Cursor<RawHealthcheck> | undefined, report: Report): Healthcheck {
  const path = cursor && child(cursor, 'path');
  const command = cursor && child(cursor, 'command');
  if (path !== undefined && command !== undefined) {
    const message = 'healthcheck: both "path" and "command" are given';
    report.error({ code: 'invalid-value', at: keyAt(command), message, hint: 'remove one of them' });
  }
  return {
    path: path?.value,
    command: command?.value,
    intervalMs: readDuration(cursor && child(cursor, 'interval'), bounds, report) ?? 10_000,
    timeoutMs: readDuration(cursor && child(cursor, 'timeout'), bounds, report) ?? 5_000,
  };
}
