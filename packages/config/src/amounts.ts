import { type Cursor, valueAt } from './cursor.ts';
import { quote } from './quote.ts';
import type { RawAmount } from './raw-file.ts';
import type { Report } from './report.ts';

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const bytes: Readonly<Record<string, number>> = { B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Milliseconds of a duration whose shape was checked: `30s`, `10m`; a bare number counts seconds. */
export function durationMs(raw: RawAmount): number {
  return typeof raw === 'number' ? raw * 1000 : amount(raw, milliseconds);
}

/** Bytes of a size whose shape was checked: `256M`, `1.5G`; a bare number counts MiB. */
export function sizeBytes(raw: RawAmount): number {
  return typeof raw === 'number' ? raw * 2 ** 20 : Math.round(amount(raw, bytes));
}

function amount(text: string, units: Readonly<Record<string, number>>): number {
  const digits = /^[0-9.]+/.exec(text)?.[0] ?? '0';
  return Number(digits) * (units[text.slice(digits.length)] ?? 1);
}

/** `1500ms`, `30s`, `2h`: the largest unit without a fraction. */
export function durationText(ms: number): string {
  return inUnit(ms, ['d', 'h', 'm', 's', 'ms'], milliseconds);
}

/** `256M`, `1G`: the largest unit without a fraction. */
export function sizeText(count: number): string {
  return inUnit(count, ['T', 'G', 'M', 'K', 'B'], bytes);
}

function inUnit(count: number, order: readonly string[], units: Readonly<Record<string, number>>): string {
  const smallest = order.at(-1) ?? '';
  const unit = count === 0 ? smallest : (order.find((each) => count % (units[each] ?? 1) === 0) ?? smallest);
  return `${count / (units[unit] ?? 1)}${unit}`;
}

/** The least and the most that a key may say, as people write it. */
export interface Bounds {
  readonly least: string;
  readonly most: string;
}

/** Milliseconds of a duration; outside the bounds is an error, and undefined. */
export function readDuration(cursor: Cursor<RawAmount> | undefined, bounds: Bounds, report: Report): number | undefined {
  return cursor && bounded(cursor, durationMs, bounds, report);
}

/** Bytes of a size; outside the bounds is an error, and undefined. */
export function readSize(cursor: Cursor<RawAmount> | undefined, bounds: Bounds, report: Report): number | undefined {
  return cursor && bounded(cursor, sizeBytes, bounds, report);
}

function bounded(cursor: Cursor<RawAmount>, measure: (raw: RawAmount) => number, bounds: Bounds, report: Report): number | undefined {
  const value = measure(cursor.value);
  if (value >= measure(bounds.least) && value <= measure(bounds.most)) return value;
  const written = cursor.place.written ?? String(cursor.value);
  const hint = `from ${bounds.least} to ${bounds.most}`;
  report.error({ code: 'invalid-value', at: valueAt(cursor), message: `${cursor.name}: ${quote(written)} is out of range`, hint });
  return undefined;
}
