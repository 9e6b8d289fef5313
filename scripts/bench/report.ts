import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { BenchRow } from './bench-row.ts';

/** Facts of the machine that the figures depend on. */
export function machineFacts(): Readonly<Record<string, unknown>> {
  const [first, ...others] = cpus();
  return {
    at: new Date().toISOString(),
    processor: first?.model ?? 'unknown',
    cores: others.length + (first ? 1 : 0),
    memoryMB: Math.round(totalmem() / 1024 ** 2),
    kernel: release(),
    node: process.version,
    load: loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

/** All rows as one table for people. */
export function table(rows: readonly BenchRow[]): string {
  const header = ['what', 'measured', 'floor or peer', 'ratio', 'limit', ''];
  const lines = [header, ...rows.map(cells)];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const notes = rows.filter((row) => row.note !== undefined).map((row) => `  ${row.name}: ${row.note}`);
  return [...text, '', ...notes].join('\n');
}

function cells(row: BenchRow): readonly string[] {
  return [
    row.name,
    amount(row.measured, row.unit),
    row.floor ? `${amount(row.floor.measured, row.unit)} (${row.floor.name})` : '',
    row.floor ? (row.measured / row.floor.measured).toFixed(2) : '',
    row.limit === Number.POSITIVE_INFINITY ? '' : `${row.atLeast ? '≥' : '≤'} ${amount(row.limit, row.unit)}`,
    row.ok ? 'ok' : 'MISSED',
  ];
}

function amount(value: number, unit: BenchRow['unit']): string {
  if (unit === 'count') return value.toFixed(0);
  const digits = unit === 'ratio' || unit === '% of a core' ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)}${unit === 'ratio' ? '' : ` ${unit}`}`;
}

/** Writes machine, load before and after, and rows as JSON. */
export async function writeResults(path: string, results: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`);
}
