import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorthMeasuring, type LimitSituation, limitOf, type Measured } from './simple-limits.ts';

const mebibyte = 1024 * 1024;

/** A set that may show 1,000 MiB, showed and wrote 500 a minute and a half ago, and has done nothing since. */
function situation(changes: Partial<LimitSituation> = {}, measured: Partial<Measured> = {}): LimitSituation {
  return {
    ...{ wantedBytes: 1000 * mebibyte, writtenBytes: 500 * mebibyte, limitBytes: 1000 * mebibyte, nowMs: 90_000 },
    measured: { writtenBytes: 500 * mebibyte, atMs: 0, tookMs: 10, ...measured },
    ...changes,
  };
}

test('a set whose limit was never told exactly is looked at', () => {
  assert.equal(isWorthMeasuring(situation({ measured: undefined })), true);
});

test('a set that may still write half of what it may show is left alone, whatever it writes', () => {
  assert.deepEqual([isWorthMeasuring(situation()), isWorthMeasuring(situation({ writtenBytes: 500.1 * mebibyte }))], [false, true]);
  const far = { limitBytes: 1500 * mebibyte };
  assert.equal(isWorthMeasuring(situation({ ...far, writtenBytes: 999 * mebibyte })), false);
});

test('beyond that it is looked at when it wrote much, some seconds after it wrote at all, and once a minute where little is left', () => {
  const at = (writtenBytes: number, measuredBytes: number, nowMs: number): boolean =>
    isWorthMeasuring(situation({ writtenBytes: writtenBytes * mebibyte, nowMs }, { writtenBytes: measuredBytes * mebibyte }));
  assert.deepEqual([at(820, 800, 1_000), at(801, 800, 4_000), at(801, 800, 5_000)], [true, false, true]);
  assert.deepEqual([at(800, 800, 60_000), at(910, 910, 59_000), at(910, 910, 60_000)], [false, false, true]);
});

test('a set of which much was freed is looked at: perhaps only copies held it', () => {
  assert.deepEqual(
    [440, 430].map((mebibytes) => isWorthMeasuring(situation({ writtenBytes: mebibytes * mebibyte }))),
    [false, true],
  );
});

test('looking takes a tenth of the time at most', () => {
  const near = { writtenBytes: 990 * mebibyte, nowMs: 100_000 };
  assert.deepEqual(
    [9_000, 11_000].map((tookMs) => isWorthMeasuring(situation(near, { tookMs }))),
    [true, false],
  );
});

test('a set may write what it may show and does not yet, and nothing where it shows more', () => {
  assert.deepEqual(
    [
      limitOf({ wantedBytes: 100, writtenBytes: 0, shownBytes: 0 }),
      limitOf({ wantedBytes: 100, writtenBytes: 5, shownBytes: 80 }),
      limitOf({ wantedBytes: 100, writtenBytes: 300, shownBytes: 80 }),
      limitOf({ wantedBytes: 100, writtenBytes: 300, shownBytes: 120 }),
    ],
    [100, 25, 320, 300],
  );
});
