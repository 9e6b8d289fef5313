import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { parsePushOptions } from './push-options.ts';

test('a push without options waits, clones and chooses its parent itself', () => {
  assert.deepEqual(parsePushOptions([]), { planOnly: false, noWait: false, parent: undefined, clone: true, allowDestroy: new Set() });
});

test('each option is taken', () => {
  assert.deepEqual(parsePushOptions(['plan', 'no-wait', 'no-clone', 'parent=a=b', 'allow-destroy=db']), {
    planOnly: true,
    noWait: true,
    parent: 'a=b',
    clone: false,
    allowDestroy: new Set(['db']),
  });
});

for (const option of ['', 'plans', 'plan=', 'no-wait=1', 'parent', 'parent=', 'allow-destroy']) {
  test(`the option "${option}" is refused with what there is`, () => {
    assert.throws(
      () => parsePushOptions([option]),
      new CoppiceError('invalid-request', `push option "${option}" is unknown`, {
        hint: 'there are: plan, no-wait, no-clone, parent=ENVIRONMENT, allow-destroy=NODE',
      }),
    );
  });
}
