import { availableParallelism } from 'node:os';

/** What one step may use, and how many builds run at once. */
export interface BuildLimits {
  readonly timeMs: number;
  readonly memoryBytes: number;
  /** Cores. */
  readonly cpu: number;
  readonly processes: number;
  /** What a step may print in all; of it 1 MiB is shown. */
  readonly outputBytes: number;
  /** What a build may write, source and output included. */
  readonly diskBytes: number;
  /** What the package cache of one project and type may hold. */
  readonly cacheBytes: number;
  /** Builds that run commands or make bases at the same time. */
  readonly concurrency: number;
}

export const defaultBuildLimits: BuildLimits = {
  timeMs: 10 * 60_000,
  memoryBytes: 2 * 1024 ** 3,
  cpu: availableParallelism(),
  processes: 512,
  outputBytes: 64 * 1024 ** 2,
  diskBytes: 4 * 1024 ** 3,
  cacheBytes: 4 * 1024 ** 3,
  concurrency: 2,
};
