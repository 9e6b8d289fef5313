import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Sample } from './family.ts';

/** Node's default of 10 ms costs 0.7 % of a core, 100 ms 0.09 %, this 0.02 %. Any delay longer than it is seen for certain. */
const resolutionMs = 500;

/** Watches how late the event loop is from now on. Answers, by quantile, in seconds, how late it was since it was last asked. */
export function watchEventLoopDelay(): () => readonly Sample[] {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs) / 1000;
  return () => {
    if (histogram.count === 0) return [];
    const quantiles = { 0.5: histogram.percentile(50), 0.99: histogram.percentile(99), 1: histogram.max };
    histogram.reset();
    return Object.entries(quantiles).map(([quantile, late]) => ({ labels: { quantile }, value: seconds(late) }));
  };
}
