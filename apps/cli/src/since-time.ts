import { CoppiceError } from '@coppice/model';

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/i;

/** A time as the API takes it, from a time of RFC 3339 or from a duration before `now`. Throws `invalid-request` for anything else. */
export function sinceTime(text: string, now: Date): string {
  if (rfc3339.test(text) && !Number.isNaN(Date.parse(text))) return text;
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const time = new Date(now.getTime() - Number(count) * (unitMs[unit] ?? 0));
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  const allowed = 'give a time such as 2026-03-01T12:00:00Z, or how long ago: 90s, 10m, 2h or 1d';
  throw new CoppiceError('invalid-request', `--since ${text}: ${allowed}`);
}
