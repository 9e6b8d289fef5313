import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { parseSubvolumeUsage } from './subvolume-usage.ts';

/** As btrfs-progs 6.2 prints it. */
const head = `Qgroupid    Referenced    Exclusive   Path
--------    ----------    ---------   ----
`;

test('the row of a subvolume tells what it holds, and what it alone holds', () => {
  const text = `${head}0/257         26230784      5259264   e_aa/data\n`;
  assert.deepEqual(parseSubvolumeUsage(text), { heldBytes: 26_230_784, ownBytes: 5_259_264 });
});

test('a subvolume without a row is an error', () => {
  assert.throws(
    () => parseSubvolumeUsage(head),
    (error) => isCoppiceError(error, 'volume-failed'),
  );
});
