import { plainText } from '@coppice/model';
import stringWidth from 'string-width';

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Writes one JSON document, or what people read. */
export function print(session: { readonly json: boolean }, value: unknown, text: () => string): void {
  process.stdout.write(session.json ? `${JSON.stringify(value, null, 2)}\n` : withNewline(text()));
}

/** A table with aligned columns and a head; `empty` where there are no rows. Cells are cleaned of control characters. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty;
  const all = [head.map((title) => title.toUpperCase()), ...rows.map((row) => row.map((cell) => plainText(cell).replaceAll('\n', ' ')))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => stringWidth(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - stringWidth(cell))).join('  ');
  return all.map((row) => line(row).trimEnd()).join('\n');
}

/** A number of bytes in units of 1024, such as `1.5 GiB`; `-` where it is not known. */
export function readableBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  let [value, unit] = [bytes, 0];
  for (; rounded(value) >= 1024 && unit < byteUnits.length - 1; unit += 1) value /= 1024;
  return `${rounded(value)} ${byteUnits[unit]}`;
}

/** A short id of a git object. */
export function short(id: string): string {
  return id.slice(0, 7);
}

/** `sha256:…` shortened for people. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** `text` with the digests and ids of git in it shortened for people. */
export function withShortIds(text: string): string {
  return text.replace(/\bsha256:[0-9a-f]{64}\b/g, shortDigest).replace(/\b[0-9a-f]{40}\b/g, short);
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}

function withNewline(text: string): string {
  return text.endsWith('\n') || text === '' ? text : `${text}\n`;
}
