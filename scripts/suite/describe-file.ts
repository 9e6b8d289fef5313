import type { FileResult } from './run-file.ts';
import type { CountedTest } from './tally.ts';

const marks: { readonly [Result in CountedTest['result']]: string } = { passed: '✔', failed: '✖', skipped: '-' };

/** A file and its tests, a line each, for people; with what it printed where one failed. */
export function describeFile({ file, durationMs, tests, output }: FileResult): string {
  const lines = [`${file} (${seconds(durationMs)})`, ...tests.map((test) => `  ${describeTest(test)}`)];
  const failed = tests.some((test) => test.result === 'failed');
  if (failed && output.trim() !== '') lines.push('  printed:', indent(output.trimEnd(), 4));
  return lines.join('\n');
}

/** All failures once more, for the end of a long run; empty where there are none. */
export function describeFailures(results: readonly FileResult[]): string {
  return results
    .flatMap(({ file, tests }) =>
      tests
        .filter((test) => test.result === 'failed')
        .map((test) => `✖ ${file}: ${test.path.join(' › ')}\n${indent(test.error ?? 'no reason was given', 4)}`),
    )
    .join('\n');
}

function describeTest({ path, result, durationMs }: CountedTest): string {
  return `${marks[result]} ${path.join(' › ')} (${seconds(durationMs)})`;
}

/** Milliseconds as people read them. */
export function seconds(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`;
}

function indent(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => ' '.repeat(columns) + line)
    .join('\n');
}
