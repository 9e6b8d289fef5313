import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { within } from './within.ts';

// Limits keep no process alive, so the test does.
const alive = setInterval(() => undefined, 1_000);
after(() => clearInterval(alive));

const hang = (): Promise<never> => new Promise(() => undefined);
const bounds = { limitMs: 60_000, graceMs: 60_000, signal: new AbortController().signal, what: 'start web' };

test('work that ends in time gives its result, and leaves no timer', async () => {
  assert.equal(await within(bounds, async () => 'done'), 'done');
});

test('work that hangs is over after its limit, whether it heeds that or not', async () => {
  const tooLong = (error: unknown): boolean =>
    isCoppiceError(error, 'limit-exceeded') && error.message === 'start web took longer than 0.005 s';
  await assert.rejects(within({ ...bounds, limitMs: 5, graceMs: 5 }, hang), tooLong);
  const heeds = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
  await assert.rejects(within({ ...bounds, limitMs: 5 }, heeds), tooLong);
});

test('cancelled work that hangs is over after a grace, with the reason it was cancelled for', async () => {
  const cancel = new AbortController();
  const running = within({ ...bounds, graceMs: 5, signal: cancel.signal }, hang);
  cancel.abort(new Error('by ada'));
  await assert.rejects(running, /by ada/);
});
