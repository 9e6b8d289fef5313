import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Uses } from './uses.ts';

test('what was used before the mark is not spared, what came after it is', () => {
  const uses = new Uses();
  uses.note(['old', 'again']);
  const mark = uses.mark();
  uses.note(['new', 'again']);
  assert.deepEqual(
    ['old', 'again', 'new', 'never'].map((name) => uses.isSpared(name, mark)),
    [false, true, true, false],
  );
});

test('what was used under a hold is spared until the hold is released, and nothing that was used before it', async () => {
  const uses = new Uses();
  uses.note(['before']);
  const first = uses.hold();
  uses.note(['one']);
  const second = uses.hold();
  uses.note(['two']);
  const spared = (): readonly string[] => ['before', 'one', 'two'].filter((name) => uses.isSpared(name, uses.mark()));
  assert.deepEqual(spared(), ['one', 'two']);
  first.release();
  first.release();
  assert.deepEqual(spared(), ['two']);
  second.release();
  assert.deepEqual(spared(), []);
  await assert.rejects(
    uses.during(async () => {
      uses.note(['failed']);
      assert.equal(uses.isSpared('failed', uses.mark()), true);
      throw new Error('no');
    }),
  );
  assert.equal(uses.isSpared('failed', uses.mark()), false);
});
