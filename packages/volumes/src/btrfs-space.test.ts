import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChunkFigures, type SpaceFigures, spaceOf } from './btrfs-space.ts';

const chunks = (changes: Partial<ChunkFigures> = {}): ChunkFigures => ({ total: 100, disk: 100, used: 0, pending: 0, ...changes });

/** 1,000 bytes, 700 of which belong to no kind yet. */
function figures(changes: Partial<SpaceFigures> = {}): SpaceFigures {
  return { sizeBytes: 1000, data: chunks(), metadata: chunks(), system: chunks(), reserveBytes: 0, ...changes };
}

test('what belongs to neither kind yet is free for both', () => {
  assert.deepEqual(spaceOf(figures({ data: chunks({ used: 60 }), metadata: chunks({ used: 10 }) })), {
    sizeBytes: 1000,
    data: { usedBytes: 60, freeBytes: 740 },
    metadata: { usedBytes: 10, freeBytes: 790 },
  });
});

test('what is given away and not counted yet is not free', () => {
  assert.equal(spaceOf(figures({ data: chunks({ used: 60, pending: 30 }) })).data.freeBytes, 710);
});

test('metadata that is kept twice takes twice of what belongs to neither', () => {
  const { data, metadata } = spaceOf(figures({ metadata: chunks({ disk: 200, used: 40 }) }));
  assert.deepEqual([data.freeBytes, metadata.freeBytes], [700, 360]);
});

test('data that is kept twice shows half of the devices as its size', () => {
  const twice = chunks({ disk: 200 });
  const { data } = spaceOf(figures({ sizeBytes: 500, data: twice, metadata: twice, system: twice }));
  assert.equal(data.freeBytes, 100 + 200);
});

test('full metadata has nothing free but the reserve, which is not counted', () => {
  const full = figures({ sizeBytes: 300, metadata: chunks({ used: 80 }), reserveBytes: 20 });
  assert.deepEqual(spaceOf(full).metadata, { usedBytes: 80, freeBytes: 0 });
});

test('chunks that hold both count for both', () => {
  const both = chunks({ used: 40 });
  const { data, metadata } = spaceOf(figures({ sizeBytes: 200, data: both, metadata: chunks({ total: 0, disk: 0 }) }), both);
  assert.deepEqual(
    [data, metadata],
    [
      { usedBytes: 40, freeBytes: 60 },
      { usedBytes: 40, freeBytes: 60 },
    ],
  );
});
