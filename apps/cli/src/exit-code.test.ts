import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError, errorCodes } from '@coppice/model';
import { exitCodeOf, ServerUnreachable } from './exit-code.ts';

test('each error code ends the command with one of the exit codes of the interfaces note', () => {
  const codes = Object.fromEntries(errorCodes.map((code) => [code, exitCodeOf(new CoppiceError(code, 'no'))]));
  const failed = Object.fromEntries(errorCodes.map((code) => [code, 1]));
  assert.deepEqual(codes, {
    ...failed,
    'invalid-configuration': 2,
    'invalid-request': 2,
    'missing-tool': 2,
    'not-found': 3,
    'not-allowed': 4,
    unauthenticated: 4,
  });
});

test('nobody there is 5, and what is not ours is 1', () => {
  assert.deepEqual([new ServerUnreachable('nobody'), new Error('odd'), 'text', undefined].map(exitCodeOf), [5, 1, 1, 1]);
});
