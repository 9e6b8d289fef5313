import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NumberedState, wrongWith } from './numbered-application.ts';

function state(files: number, rows: number, keys: number, change: Partial<NumberedState> = {}): NumberedState {
  const held = (last: number): NumberedState['files'] => ({ count: last, last });
  return { files: held(files), rows: held(rows), keys: held(keys), wrong: [], ...change };
}
const bounds = { answered: 5, sent: 8 };

test('a copy may end at any step of the number that is being written', () => {
  const copies = [state(5, 5, 5), state(6, 5, 5), state(6, 6, 5), state(8, 8, 8)];
  assert.deepEqual(
    copies.flatMap((copy) => wrongWith(copy, bounds)),
    [],
  );
});

test('what is torn, missing, too new, or not of one instant is told', () => {
  const wrong = (copy: NumberedState): readonly string[] => wrongWith(copy, bounds).map((line) => line.split(':')[0] ?? '');
  assert.deepEqual(wrong(state(7, 6, 5)), ['not of one instant']);
  assert.deepEqual(wrong(state(6, 7, 6)), ['not of one instant']);
  assert.deepEqual(wrong(state(5, 5, 4)), ['what was answered is missing']);
  assert.deepEqual(wrong(state(9, 8, 8)), ['holds what was not sent yet']);
  assert.deepEqual(wrong(state(6, 6, 6, { rows: { count: 5, last: 6 } })), ['rows have a gap']);
  assert.deepEqual(wrong(state(6, 6, 6, { wrong: ['file 3 is torn'] })), ['file 3 is torn']);
});
