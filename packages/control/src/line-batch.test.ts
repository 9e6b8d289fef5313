import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineBatch } from './line-batch.ts';

test('lines are written together, in their order, soon', async () => {
  const written = Promise.withResolvers<readonly string[]>();
  const batch = new LineBatch(written.resolve);
  batch.add('one');
  batch.add('two');
  assert.deepEqual(await written.promise, ['one', 'two']);
});

test('a flush writes what is waiting, once', () => {
  const written: (readonly string[])[] = [];
  const batch = new LineBatch((lines) => written.push(lines));
  batch.flush();
  batch.add('one');
  batch.flush();
  batch.flush();
  assert.deepEqual(written, [['one']]);
});
