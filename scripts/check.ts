// What is run before each commit: types, lint and format, structure, unit tests, in that order, a line each. The last line is the closing line.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeFailures, seconds } from './suite/describe-file.ts';
import type { Stage } from './suite/find-test-files.ts';
import { runStage } from './suite/run-stage.ts';
import { closingLine, sumTallies, type Tally, tallyOf } from './suite/tally.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');

/** A program that counts as one test. */
async function program(name: string, args: readonly string[]): Promise<Tally> {
  const started = performance.now();
  const { code, output } = await run(args);
  const passed = code === 0;
  if (!passed) console.log(output.trimEnd());
  console.log(`${passed ? '✔' : '✖'} ${name} (${seconds(performance.now() - started)})`);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** A stage of tests; only failures are told one by one. */
async function tests(name: string, stage: Stage): Promise<Tally> {
  const started = performance.now();
  const results = await runStage({ root, stage, filters: [], print: () => undefined });
  const tally = tallyOf(results.flatMap((result) => result.tests));
  const failures = describeFailures(results);
  if (failures !== '') console.log(failures);
  const none = results.length === 0;
  const passed = !none && tally.failed === 0;
  console.log(
    `${passed ? '✔' : '✖'} ${name}: ${none ? 'no test was found' : closingLine(tally)} (${seconds(performance.now() - started)})`,
  );
  return none ? { ...tally, failed: 1 } : tally;
}

const total = sumTallies([
  await program('types', [tsc, '-p', root]),
  await program('lint and format', [biome, 'check', '--diagnostic-level=error']),
  await tests('structure', 'structure'),
  await tests('unit tests', 'unit'),
]);
console.log(closingLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;
