import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SeedResult } from './seed-thread.ts';

const threadMemoryMiB = 512;

/**
 * Runs histories in as many threads as there are processors, each seed once, and hands over each result as it comes. Rejects where a thread
 * dies; the message names its seed.
 */
export async function runSeeds(seeds: Iterable<number>, onResult: (result: SeedResult) => void): Promise<void> {
  const left = seeds[Symbol.iterator]();
  await Promise.all(Array.from({ length: availableParallelism() }, async () => await runThread(left, onResult)));
}

async function runThread(left: Iterator<number>, onResult: (result: SeedResult) => void): Promise<void> {
  const thread = new Worker(new URL('./seed-thread.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: threadMemoryMiB } });
  try {
    for (let next = left.next(); !next.done; next = left.next()) onResult(await resultOf(thread, next.value));
  } finally {
    await thread.terminate();
  }
}

async function resultOf(thread: Worker, seed: number): Promise<SeedResult> {
  return await new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(new Error(`the history of seed ${seed} broke off`, { cause: error }));
    thread.once('error', fail);
    thread.once('message', (result: SeedResult) => {
      thread.off('error', fail);
      resolve(result);
    });
    thread.postMessage(seed);
  });
}
