/** What one part of the fault matrix found. */
export interface FaultRow {
  readonly group: string;
  /** What was tried. */
  readonly name: string;
  /** How many faults of this kind. */
  readonly tried: number;
  /** Requests that were under way meanwhile. */
  readonly requests: number;
  /** What was lost or wrong, a line each; empty where nothing was. */
  readonly lost: readonly string[];
  /** From the server's start (where it died), else from the fault, until all was whole again. */
  readonly longestMs: number;
  /** The longest that the server took to be ready again, where it died. */
  readonly longestStartMs?: number;
}

/** All rows as one table for people. */
export function faultTable(rows: readonly FaultRow[]): string {
  const header = ['group', 'what', 'faults', 'requests', 'lost', 'longest start', 'longest recovery'];
  const cells = rows.map((row) => [
    row.group,
    row.name,
    String(row.tried),
    String(row.requests),
    row.lost.length === 0 ? 'nothing' : `${row.lost.length} LOST`,
    row.longestStartMs === undefined ? '' : seconds(row.longestStartMs),
    seconds(row.longestMs),
  ]);
  const lines = [header, ...cells];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const lost = rows.flatMap((row) => row.lost.map((line) => `  ${row.name}: ${line}`));
  return [...text, ...(lost.length === 0 ? [] : ['', ...lost])].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
