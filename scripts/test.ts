// Runs the whole suite: structure and unit tests, then those on the real engine and tools, then end-to-end ones, one file after another.
// Arguments are parts of paths: `npm test -- packages/state volumes.real`. The last line is the closing line, for programs.
import { fileURLToPath } from 'node:url';
import { describeFailures } from './suite/describe-file.ts';
import type { Stage } from './suite/find-test-files.ts';
import type { FileResult } from './suite/run-file.ts';
import { runStage } from './suite/run-stage.ts';
import { closingLine, tallyOf } from './suite/tally.ts';

const stages: readonly Stage[] = ['structure', 'unit', 'real', 'end-to-end'];
const root = fileURLToPath(new URL('..', import.meta.url));
const filters = process.argv.slice(2);
const print = (text: string): void => console.log(text);

const results: FileResult[] = [];
for (const stage of stages) {
  print(`\n── ${stage}`);
  results.push(...(await runStage({ root, stage, filters, print })));
}
const tally = tallyOf(results.flatMap((result) => result.tests));
const foundNothing = results.length === 0;
print(`\n${foundNothing ? '✖ no test file was found' : describeFailures(results)}`);
print(closingLine(foundNothing ? { ...tally, failed: 1 } : tally));
process.exitCode = foundNothing || tally.failed > 0 ? 1 : 0;
