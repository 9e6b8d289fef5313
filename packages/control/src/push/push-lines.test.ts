import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { failureLines, failureReason, toCoppiceError } from './push-lines.ts';

const refused = new CoppiceError('invalid-configuration', 'coppice.yaml has 2 errors\nboth are these:', {
  diagnostics: [
    { code: 'unknown-key', severity: 'error', message: 'nam is unknown', at: { file: 'coppice.yaml', line: 4, column: 20 }, hint: 'name?' },
    { code: 'invalid-path', severity: 'error', message: 'no folder "a"' },
  ],
  hint: 'see the reference',
});

test('a failure is told line by line: message, diagnostics, what to do', () => {
  assert.deepEqual(failureLines(refused), [
    'coppice.yaml has 2 errors',
    'both are these:',
    'coppice.yaml:4:20  nam is unknown; name?',
    'no folder "a"',
    'see the reference',
  ]);
});

test('a failure that is not ours names itself and is said to be internal', () => {
  assert.deepEqual(failureLines(new TypeError('x is undefined')), ['internal error: x is undefined']);
  assert.deepEqual(failureLines('thrown text'), ['internal error: thrown text']);
});

test('a reason is the first line, without the promise of output that does not follow', () => {
  assert.equal(failureReason(refused), 'coppice.yaml has 2 errors');
  assert.equal(failureReason(new CoppiceError('build-failed', 'step 1 failed; its last output:\nno space')), 'step 1 failed');
  assert.equal(failureReason(new Error('lost')), 'internal error: lost');
});

test('what is ours stays itself, all else becomes internal and keeps its cause', () => {
  const cause = new Error('lost');
  assert.equal(toCoppiceError(refused), refused);
  assert.deepEqual(toCoppiceError(cause), new CoppiceError('internal', 'internal error: lost', { cause }));
});
