import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { parseSpace } from './btrfs-space.ts';

/** As btrfs-progs 6.2 prints it. */
const usage = (chunks: string): string => `Overall:
    Device size:\t\t         268435456
    Device allocated:\t\t          92274688
    Device unallocated:\t\t         176160768
    Device missing:\t\t                 0
    Used:\t\t\t            393216
    Free (estimated):\t\t         184549376\t(min: 96468992)
    Data ratio:\t\t\t              1.00
    Metadata ratio:\t\t              2.00
    Global reserve:\t\t           5767168\t(used: 0)
    Multiple profiles:\t\t                no

${chunks}
Unallocated:
   /dev/loop0\t 176160768
`;

test('what belongs to neither kind yet is free for both, for metadata as often as it is kept twice', () => {
  const text = usage(`Data,single: Size:8388608, Used:4096 (0.05%)
   /dev/loop0\t   8388608

Metadata,DUP: Size:33554432, Used:180224 (0.54%)
   /dev/loop0\t  67108864
`);
  assert.deepEqual(parseSpace(text), {
    sizeBytes: 268_435_456,
    data: { usedBytes: 4096, freeBytes: 8_388_608 - 4096 + 176_160_768 },
    metadata: { usedBytes: 180_224, freeBytes: 33_554_432 - 180_224 - 5_767_168 + 88_080_384 },
  });
});

test('several profiles of one kind are added up', () => {
  const text = usage('Data,single: Size:100, Used:50 (50%)\nData,DUP: Size:10, Used:5 (50%)\nMetadata,DUP: Size:9999999, Used:1 (0%)\n');
  assert.deepEqual(parseSpace(text).data, { usedBytes: 55, freeBytes: 55 + 176_160_768 });
});

test('mixed chunks count for both kinds', () => {
  const { data, metadata } = parseSpace(usage('Data+Metadata,single: Size:20000000, Used:1000 (0%)\n'));
  assert.deepEqual([data.usedBytes, metadata.usedBytes], [1000, 1000]);
});

test('full metadata has nothing free but the reserve, which is not counted', () => {
  const text = usage('Metadata,DUP: Size:6000000, Used:5000000 (83%)\n').replace(/unallocated:\t\t {9}\d+/, 'unallocated: 0');
  assert.deepEqual(parseSpace(text).metadata, { usedBytes: 5_000_000, freeBytes: 0 });
});

test('other words are an error that says what was missed', () => {
  assert.throws(
    () => parseSpace('Overall:\n'),
    (error) => isCoppiceError(error, 'volume-failed') && error.message.includes("'Device unallocated'"),
  );
});
