import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '@coppice/model';
import fc from 'fast-check';
import { completeExample } from './complete-example.ts';
import { limits } from './limits.ts';
import { read } from './reading-fixture.ts';
import { showConfiguration } from './show-configuration.ts';

const slowestMs = 5000;

/** Whatever stands in the file: an answer in time, a topology or an error, and no more than twenty lines. */
function checkAnswer(bytes: string | Uint8Array): void {
  const before = cpuMs();
  const { topology, diagnostics } = read(bytes);
  assert.ok(cpuMs() - before < slowestMs, 'it took too long');
  assert.equal(
    topology === undefined,
    diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
  );
  assert.ok(diagnostics.length <= limits.diagnostics);
  for (const { at, message } of diagnostics) {
    assert.ok(at !== undefined && at.line >= 1 && at.column >= 1);
    assert.doesNotMatch(message, /\n|undefined|\[object/);
  }
  if (topology === undefined) return;
  assert.equal(canonicalJson(read(showConfiguration(topology)).topology), canonicalJson(topology));
}

test('arbitrary bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), checkAnswer), { numRuns: 300 });
});

test('arbitrary text of the signs that YAML knows', () => {
  const sign = fc.constantFrom(
    ...'{}[],:?-&*!|>\'"%@`# \n\t~a0',
    ': ',
    '- ',
    '? ',
    '<<',
    '---\n',
    '...',
    '&a ',
    '*a',
    '!!',
    'applications:',
    '  web:\n',
  );
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 120 }), (signs) => checkAnswer(signs.join(''))),
    { numRuns: 600 },
  );
});

test('a sound file with a part cut out, doubled or replaced', () => {
  const length = completeExample.length;
  const replacement = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('null', '[]', '{}', '1', '-1', '1e999', 'true', '""', '*a', '&a x', '\n', '\t', '__proto__'),
  );
  const property = fc.property(fc.nat(length), fc.nat(40), replacement, fc.boolean(), (start, size, text, isDoubled) => {
    const part = completeExample.slice(start, start + size);
    checkAnswer(completeExample.slice(0, start) + text + (isDoubled ? part + part : '') + completeExample.slice(start + size));
  });
  fc.assert(property, { numRuns: 300 });
});

test('any plain data where a map of applications is expected', () => {
  const data = fc.object({
    maxDepth: 4,
    key: fc.constantFrom('web', 'type', 'start', 'mounts', 'source', 'routes', 'build', 'run', 'env', 'crons', 'spec', 'x'),
  });
  fc.assert(
    fc.property(data, (value) => checkAnswer(JSON.stringify({ applications: value, services: value, routes: value }))),
    { numRuns: 300 },
  );
});

/** Time of the processor so far, in milliseconds: unlike the clock's, it does not grow while other tests run. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
