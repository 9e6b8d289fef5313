import { availableParallelism } from 'node:os';
import { describeFile } from './describe-file.ts';
import { findTestFiles, type Stage } from './find-test-files.ts';
import { type FileResult, runFile } from './run-file.ts';

export interface StageRun {
  readonly root: string;
  readonly stage: Stage;
  /** Parts of paths; a file runs when its path has one of them, or when there are none. */
  readonly filters: readonly string[];
  readonly print: (text: string) => void;
}

const settings: { readonly [Name in Stage]: { readonly atOnce: number; readonly timeoutMs: number } } = {
  structure: { atOnce: Math.min(4, availableParallelism()), timeoutMs: 60_000 },
  unit: { atOnce: Math.min(4, availableParallelism()), timeoutMs: 120_000 },
  real: { atOnce: 2, timeoutMs: 10 * 60_000 },
  'end-to-end': { atOnce: 1, timeoutMs: 15 * 60_000 },
};

/** Runs the files of a stage, some at once, and prints each as it ends. */
export async function runStage({ root, stage, filters, print }: StageRun): Promise<readonly FileResult[]> {
  const files = findTestFiles(root, stage).filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)));
  const { atOnce, timeoutMs } = settings[stage];
  const queue = files.values();
  const results: FileResult[] = [];
  const lane = async (): Promise<void> => {
    // Lanes share the iterator, so each takes the next file that no other took.
    for (const file of queue) {
      const result = await runFile({ root, file, timeoutMs });
      results.push(result);
      print(describeFile(result));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
