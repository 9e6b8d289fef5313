/** One figure of the benchmark beside its floor or peer and what it must reach. */
export interface BenchRow {
  readonly name: string;
  readonly measured: number;
  readonly unit: Unit;
  /** What it is compared with, measured in the same run; undefined where the limit is a number alone. */
  readonly floor?: { readonly name: string; readonly measured: number };
  /** The most that is allowed, or the least where `atLeast`; in the row's unit, what the floor allows included. Infinity: for information. */
  readonly limit: number;
  readonly atLeast?: true;
  readonly ok: boolean;
  /** What a reader must know to understand the figure. */
  readonly note?: string;
}

export type Unit = 'count' | 'ms' | 'ratio' | 'MB' | '% of a core' | 'req/s';

/** What a row is made of before it is judged. */
export type Figure = Omit<BenchRow, 'ok'>;

/** Whether the figure reaches its limit. A figure that is not a number never does. */
export function judged(figure: Figure): BenchRow {
  return { ...figure, ok: figure.atLeast ? figure.measured >= figure.limit : figure.measured <= figure.limit };
}

/** The middle of the values, the lower of two middles. NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? Number.NaN;
}

/** The value that so large a share of them does not exceed. NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

/** Runs per figure: odd, so that the median is one of them. */
export const runs = 7;
