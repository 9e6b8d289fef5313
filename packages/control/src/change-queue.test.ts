import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { ChangeQueue } from './change-queue.ts';

test('one lane works one at a time, another beside it, and a failure frees the lane', async () => {
  const queue = new ChangeQueue();
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const first = queue.run('a', 'other', () => gate.promise);
  const second = queue.run('a', 'other', async () => seen.push('second'));
  await queue.run('b', 'other', async () => seen.push('beside'));
  assert.deepEqual({ seen, waiting: queue.waiting, busy: queue.busy('a') }, { seen: ['beside'], waiting: 1, busy: true });
  gate.reject(new Error('broken'));
  await assert.rejects(first, new Error('broken'));
  await second;
  assert.deepEqual(seen, ['beside', 'second']);
});

test('a newer push supersedes the pushes that wait, not what runs and not other work', async () => {
  const queue = new ChangeQueue();
  const gate = Promise.withResolvers<string>();
  const running = queue.run('a', 'push', () => gate.promise);
  const repair = queue.run('a', 'other', async () => 'repair');
  const older = queue.run('a', 'push', async () => 'older');
  const refused = assert.rejects(older, new CoppiceError('superseded', 'superseded by a newer push to this branch; fetch and push again'));
  const newer = queue.run('a', 'push', async () => 'newer');
  await refused;
  gate.resolve('running');
  assert.deepEqual(await Promise.all([running, repair, newer]), ['running', 'repair', 'newer']);
});

test('what waits is not begun once it is cancelled, and those behind it have their turn', async () => {
  const queue = new ChangeQueue();
  const gate = Promise.withResolvers<void>();
  const cancel = new AbortController();
  const seen: string[] = [];
  const first = queue.run('a', 'other', () => gate.promise);
  const waiting = assert.rejects(
    queue.runFor('b', 'a', async () => seen.push('cancelled'), cancel.signal),
    new Error('cancelled by ada'),
  );
  const third = queue.run('a', 'other', async () => seen.push('third'), cancel.signal);
  cancel.abort(new Error('cancelled by ada'));
  await waiting;
  await assert.rejects(third, new Error('cancelled by ada'));
  await assert.rejects(
    queue.run('a', 'other', async () => seen.push('late'), cancel.signal),
    new Error('cancelled by ada'),
  );
  const last = queue.run('a', 'other', async () => seen.push('last'));
  gate.resolve();
  await Promise.all([first, last]);
  assert.deepEqual({ seen, waiting: queue.waiting, busy: queue.busy('a') }, { seen: ['last'], waiting: 0, busy: false });
});

test('work that throws before it gives a promise fails alone, at once or when its turn comes', async () => {
  const queue = new ChangeQueue();
  const gate = Promise.withResolvers<void>();
  const broken = (): never => {
    throw new Error('broken');
  };
  await assert.rejects(queue.run('a', 'other', broken), new Error('broken'));
  const first = queue.run('a', 'other', () => gate.promise);
  const second = assert.rejects(queue.run('a', 'other', broken), new Error('broken'));
  const third = queue.run('a', 'other', async () => 'third');
  gate.resolve();
  await Promise.all([first, second]);
  assert.equal(await third, 'third');
});

test('work that would wait for its own lane through others is refused, and those that waited for it go on', async () => {
  const queue = new ChangeQueue();
  const gate = Promise.withResolvers<void>();
  const inB = queue.run('b', 'other', async () => {
    await gate.promise;
    return await queue.runFor('b', 'c', async () => 'never');
  });
  const inA = queue.run('a', 'other', () => queue.runFor('a', 'b', async () => 'a got b'));
  const inC = queue.run('c', 'other', () => queue.runFor('c', 'a', async () => 'c got a'));
  gate.resolve();
  await assert.rejects(inB, new CoppiceError('conflict', 'each of the two environments waits for the other; try again'));
  assert.deepEqual(await Promise.all([inA, inC]), ['a got b', 'c got a']);
});
