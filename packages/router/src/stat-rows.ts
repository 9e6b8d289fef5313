/** One row of `show stat`: a back end or a server of one. */
export interface StatRow {
  readonly backend: string;
  readonly server: string;
  /** Requests open now. */
  readonly open: number;
  /** Seconds since the last request, or undefined where none came. */
  readonly lastSeconds: number | undefined;
}

/** Rows of the answer to `show stat` (Management Guide 2.6, 9.1): columns pxname, svname, scur, lastsess. */
export function parseStatRows(csv: string): readonly StatRow[] {
  return csv
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const columns = line.split(',');
      const last = Number(columns[55] || -1);
      return {
        backend: columns[0] ?? '',
        server: columns[1] ?? '',
        open: Number(columns[4]) || 0,
        lastSeconds: last < 0 ? undefined : last,
      };
    });
}

/** Open requests of the rows that count. */
export function openIn(rows: readonly StatRow[], counts: (row: StatRow) => boolean): number {
  return rows.filter(counts).reduce((sum, row) => sum + row.open, 0);
}
