import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { type HistoryResult, runHistory } from './random-history.ts';

/** A result that is passed between threads: of the trace only a digest, by which two runs of a seed are compared. */
export interface SeedResult extends Omit<HistoryResult, 'trace'> {
  readonly trace: string;
}

/** A thread of its own that runs one seed after another, since a history takes over the timers. */
parentPort?.on('message', (seed: number) => {
  void runHistory(seed).then((result) => {
    const trace = createHash('sha256').update(result.trace.join('\n')).digest('hex');
    parentPort?.postMessage({ ...result, trace } satisfies SeedResult);
  });
});
