import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnosticCodes } from './diagnostic-codes.ts';
import { complaints, read, web } from './reading-fixture.ts';
import { createReport } from './report.ts';

const at = (line: number) => ({ file: 'coppice.yaml', line, column: 1 });

test('diagnostics come in the order of the file, whatever found them', () => {
  const text = web('instances: many', 'relationships: [nothing]', 'strat: x', 'size: Q');
  const lines = complaints(text).map((line) => Number(line.split(':')[1]));
  assert.deepEqual(lines, [5, 6, 7, 8]);
});

test('at most twenty are told, and the last says how many more there are', () => {
  const keys = (count: number) => web(...Array.from({ length: count }, (_, index) => `unknown${index}: 1`));
  assert.equal(complaints(keys(20)).length, 20);
  const many = complaints(keys(50));
  assert.equal(many.length, 20);
  assert.equal(many.at(-1), 'coppice.yaml:23:5  … and 31 more');
});

test('warnings make room for errors', () => {
  const report = createReport(['coppice.yaml']);
  for (let line = 1; line <= 20; line += 1) report.warning({ code: 'reserved-variable', at: at(line), message: 'w' });
  report.error({ code: 'unknown-key', at: at(30), message: 'e' });
  assert.deepEqual(report.diagnostics(), [{ code: 'unknown-key', severity: 'error', message: 'e', at: at(30) }]);
});

test('a file with warnings alone has a topology', () => {
  const { topology, diagnostics } = read(web('variables: { env: { PORT: 80 } }'));
  assert.notEqual(topology, undefined);
  assert.deepEqual(diagnostics, [
    {
      code: 'reserved-variable',
      severity: 'warning',
      message: 'env: PORT is set by the platform; this value is not used',
      at: { file: 'coppice.yaml', line: 5, column: 25 },
    },
  ]);
});

test('what stands in the file cannot move the cursor of a terminal', () => {
  const [line = ''] = complaints('services: { db: "redis\\e[2J\\u202e:7" }');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what may not come through
  assert.doesNotMatch(line, /[\x00-\x1f\u202e]/);
  assert.match(line, /u001b\[2J/);
});

test('codes are unique words with hyphens', () => {
  assert.equal(new Set(diagnosticCodes).size, diagnosticCodes.length);
  for (const code of diagnosticCodes) assert.match(code, /^[a-z]+(?:-[a-z]+)*$/);
});
