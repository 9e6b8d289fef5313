import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedAsk } from './bounded-ask.ts';

test('an ask comes to its answer or its failure, and is asked anew the next time', async () => {
  let asks = 0;
  const answering = new BoundedAsk(async () => ++asks, 60_000);
  assert.deepEqual(await answering.outcome(), { kind: 'answered', answer: 1 });
  assert.deepEqual(await answering.outcome(), { kind: 'answered', answer: 2 });
  const error = new Error('lost');
  assert.deepEqual(await new BoundedAsk(() => Promise.reject(error), 60_000).outcome(), { kind: 'failed', error });
  const throwing = new BoundedAsk((): Promise<never> => {
    throw error;
  }, 60_000);
  assert.deepEqual(await throwing.outcome(), { kind: 'failed', error });
  assert.deepEqual(await throwing.outcome(), { kind: 'failed', error });
});

test('one that hangs is silent after the limit, and is not asked again before it ends', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let asks = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const hanging = new BoundedAsk(() => {
    asks += 1;
    return promise;
  }, 2_500);
  const [first, second] = [hanging.outcome(), hanging.outcome()];
  t.mock.timers.tick(2_500);
  assert.deepEqual(await Promise.all([first, second]), [{ kind: 'silent' }, { kind: 'silent' }]);
  const third = hanging.outcome();
  assert.equal(asks, 1);
  resolve('late');
  assert.deepEqual(await third, { kind: 'answered', answer: 'late' });
  assert.deepEqual([await hanging.outcome(), asks], [{ kind: 'answered', answer: 'late' }, 2]);
});
