import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { parseQuota } from './btrfs-quotas.ts';

/** As btrfs-progs 6.2 prints it. */
const text = `Qgroupid    Referenced    Exclusive  Max referenced  Max exclusive   Path
--------    ----------    ---------  --------------  -------------   ----
0/5              16384        16384            none           none   <toplevel>
0/25             32768        16384            none           none   e_aa/data
0/256            65536        16384        20000000           none   e_bb/data
`;

test('the row of a subvolume tells what it holds and may hold', () => {
  assert.deepEqual(
    ['25', '256'].map((id) => parseQuota(text, id)),
    [
      { usedBytes: 32_768, limitBytes: 'none' },
      { usedBytes: 65_536, limitBytes: 20_000_000 },
    ],
  );
});

test('a subvolume without a row is an error', () => {
  assert.throws(
    () => parseQuota(text, '2'),
    (error) => isCoppiceError(error, 'volume-failed'),
  );
});
