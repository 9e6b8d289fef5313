import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideGrowth, type GrowthPolicy, type GrowthQuestion } from './growth.ts';

const mebibyte = 1024 * 1024;
const share = (usedMebibytes: number, freeMebibytes: number) => ({
  usedBytes: usedMebibytes * mebibyte,
  freeBytes: freeMebibytes * mebibyte,
});

/** A gigabyte, nearly full of data, with room on the host. */
function question(changes: Partial<GrowthQuestion['space']> = {}, policy: Partial<GrowthPolicy> = {}, spareMebibytes = 100_000) {
  return {
    space: { sizeBytes: 1024 * mebibyte, data: share(900, 100), metadata: share(1, 100), ...changes },
    spareBytes: spareMebibytes * mebibyte,
    policy: { freeShare: 0.2, freeBytes: 0, maxBytes: 10_240 * mebibyte, hostReserveBytes: 1024 * mebibyte, ...policy },
  };
}
const grown = (toMebibytes: number) => ({ kind: 'grown', fromBytes: 1024 * mebibyte, toBytes: toMebibytes * mebibyte });

test('an image with enough free stays as it is', () => {
  assert.deepEqual(decideGrowth(question({ data: share(800, 200) })), { kind: 'enough' });
});

test('an image with less free than its share grows by half', () => {
  assert.deepEqual(decideGrowth(question()), grown(1536));
});

test('an image whose metadata alone is nearly full grows as well', () => {
  assert.deepEqual(decideGrowth(question({ data: share(1, 999), metadata: share(90, 10) })), grown(1536));
});

test('an image grows while less is free than it shall always have, as far as the host has plenty', () => {
  const roomy = { data: share(200, 800) };
  assert.deepEqual(decideGrowth(question(roomy, { freeBytes: 801 * mebibyte })), grown(1536));
  assert.deepEqual(decideGrowth(question(roomy, { freeBytes: 800 * mebibyte })), { kind: 'enough' });
  assert.deepEqual(decideGrowth(question(roomy, { freeBytes: 801 * mebibyte }, 6400)), { kind: 'enough' });
});

test('a large image grows by no more than 8 GiB at once', () => {
  const large = { sizeBytes: 100 * 1024 * mebibyte };
  const { toBytes } = decideGrowth(question(large, { maxBytes: Number.MAX_SAFE_INTEGER })) as { readonly toBytes: number };
  assert.equal(toBytes, 108 * 1024 * mebibyte);
});

test('an image grows no further than its maximum', () => {
  assert.deepEqual(decideGrowth(question({}, { maxBytes: 1200 * mebibyte })), grown(1152));
  assert.deepEqual(decideGrowth(question({}, { maxBytes: 1025 * mebibyte })), { kind: 'blocked', by: 'maximum' });
});

test('an image grows no further than the host could fill it, and leaves the host its reserve', () => {
  assert.deepEqual(decideGrowth(question({}, {}, 1024 + 200)), grown(1216));
  assert.deepEqual(decideGrowth(question({}, {}, 1024 + 63)), { kind: 'blocked', by: 'host' });
  assert.deepEqual(decideGrowth(question({}, {}, -1)), { kind: 'blocked', by: 'host' });
});
