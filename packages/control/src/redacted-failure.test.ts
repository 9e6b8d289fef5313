import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { failureLines } from './push/push-lines.ts';
import { redactedFailure } from './redacted-failure.ts';

const secret = 'b1d2f3a4c5e6f708';

test('a failure keeps its code and what to do, and loses the secrets', () => {
  const failure = new CoppiceError('not-ready', `web ended with exit code 1\nDB_PASSWORD=${secret}`, { hint: `see ${secret}` });
  const told = redactedFailure(failure, [secret]);
  assert.ok(told instanceof CoppiceError);
  assert.deepEqual(
    [told.code, ...failureLines(told), told.cause],
    ['not-ready', 'web ended with exit code 1', 'DB_PASSWORD=[secret]', 'see [secret]', failure],
  );
});

test('a failure that is not ours is said to be internal', () => {
  assert.deepEqual(failureLines(redactedFailure(new TypeError(`no ${secret}`), [secret])), ['internal error: no [secret]']);
});
