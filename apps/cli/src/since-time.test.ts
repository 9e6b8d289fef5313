import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { sinceTime } from './since-time.ts';

const now = new Date('2026-03-01T12:00:00.000Z');

test('a duration is that long ago', () => {
  const times = Object.fromEntries(['0s', '90s', '10m', '36h', '1d'].map((text) => [text, sinceTime(text, now)]));
  assert.deepEqual(times, {
    '0s': '2026-03-01T12:00:00.000Z',
    '90s': '2026-03-01T11:58:30.000Z',
    '10m': '2026-03-01T11:50:00.000Z',
    '36h': '2026-02-28T00:00:00.000Z',
    '1d': '2026-02-28T12:00:00.000Z',
  });
});

test('a time of RFC 3339 stays as it is, to the nanosecond', () => {
  const times = ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.123456789+05:30', '2026-03-01t12:00:00z'];
  assert.deepEqual(
    times.map((text) => sinceTime(text, now)),
    times,
  );
});

test('anything else is wrong usage that says what is allowed', () => {
  const wrong = ['', '10', '10x', '-5m', '1.5h', '10 m', 'yesterday', '2026-03-01', '2026-03-01T12:00:00', '2026-13-01T12:00:00Z'];
  for (const text of [...wrong, '99999999999d']) {
    assert.throws(
      () => sinceTime(text, now),
      new CoppiceError('invalid-request', `--since ${text}: give a time such as 2026-03-01T12:00:00Z, or how long ago: 90s, 10m, 2h or 1d`),
    );
  }
});
