import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { createLog, type Log } from './logger.ts';

const secret = 'hunter2hunter2';

function logging(secrets?: () => readonly string[]): { readonly log: Log; readonly lines: () => readonly Record<string, unknown>[] } {
  const written: string[] = [];
  return {
    log: createLog((line) => written.push(line), secrets),
    lines: () => written.map((line) => ({ ...(JSON.parse(line) as Record<string, unknown>), at: 'now' })),
  };
}

test('a line is one JSON object, and what is not known is left out', () => {
  const { log, lines } = logging();
  log('step', { activity: 'a_1', deployment: undefined, durationMs: 3 });
  log('server.stopping');
  assert.deepEqual(lines(), [
    { at: 'now', event: 'step', activity: 'a_1', durationMs: 3 },
    { at: 'now', event: 'server.stopping' },
  ]);
});

test('an expected failure is told by its first line and code, a thrown text as it is', () => {
  const { log, lines } = logging();
  log('repair.failed', {
    error: new CoppiceError('engine-unreachable', 'no answer\nat all', { cause: new Error('ECONNREFUSED') }),
    failures: 2,
  });
  log('repair.failed', { error: 'thrown text' });
  assert.deepEqual(lines(), [
    { at: 'now', event: 'repair.failed', error: 'no answer', code: 'engine-unreachable', failures: 2 },
    { at: 'now', event: 'repair.failed', error: 'thrown text' },
  ]);
});

test('a defect is told with its stack, once, also in other words, and however it was wrapped', () => {
  const { log, lines } = logging();
  const defect = new Error('x is undefined');
  const wrapped = new CoppiceError('internal', 'internal error: x is undefined', { cause: defect });
  log('activity.ended', { activity: 'a_1', error: wrapped });
  log('push.refused', { error: wrapped });
  log('push.refused', { error: defect });
  const hidden = new TypeError('y is undefined');
  log('activity.ended', { error: new CoppiceError('build-failed', 'the build failed: y is undefined', { cause: hidden }) });
  const [first, second, third, fourth] = lines();
  assert.equal(first?.['stack'], `${wrapped.stack}\ncaused by ${defect.stack}`);
  assert.deepEqual(second, { at: 'now', event: 'push.refused', error: 'internal error: x is undefined', code: 'internal' });
  assert.deepEqual(third, { at: 'now', event: 'push.refused', error: 'x is undefined', code: 'internal' });
  assert.match(String(fourth?.['stack']), /^CoppiceError: the build failed(.|\n)*caused by TypeError: y is undefined\n {4}at /);
});

test('no secret reaches the log: neither in a text, nor within, nor in a stack', () => {
  const { log, lines } = logging(() => [secret]);
  log('router', { line: `password ${secret}`, more: [{ text: secret }] });
  log('activity.ended', { error: new Error(`no ${secret}`) });
  assert.doesNotMatch(JSON.stringify(lines()), /hunter2/);
  assert.deepEqual(lines()[0], { at: 'now', event: 'router', line: 'password [secret]', more: [{ text: '[secret]' }] });
  assert.match(String(lines()[1]?.['stack']), /^Error: no \[secret\]\n {4}at /);
});

test('where the secrets cannot be read, a text is left out, and what happened is told by event and code', () => {
  const { log, lines } = logging(() => {
    throw new CoppiceError('state-failed', 'the database is broken');
  });
  log('repair.failed', { environment: 'e_1', error: new CoppiceError('state-failed', `lost ${secret}`) });
  const error = '[left out: the secrets cannot be read]';
  assert.deepEqual(lines(), [{ at: 'now', event: 'repair.failed', environment: 'e_1', code: 'state-failed', error }]);
});

test('secrets are read only where there is a text to look for them in, once a line', () => {
  let reads = 0;
  const { log } = logging(() => {
    reads += 1;
    return [];
  });
  log('step', { activity: 'a_1', environment: 'e_1', step: 'start web', state: 'done', durationMs: 3 });
  assert.equal(reads, 0);
  log('router', { line: 'one', other: 'two' });
  assert.equal(reads, 1);
});
