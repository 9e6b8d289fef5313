import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WallClockWatch } from './wall-clock-watch.ts';

const hourMs = 3_600_000;

test('a clock that jumps by more than an hour is not trusted for a day, in whatever direction', () => {
  for (const jumpMs of [-2 * hourMs, 2 * hourMs]) {
    let wallMs = 1_000_000_000_000;
    let monotonicMs = 0;
    const pass = (ms: number): void => {
      wallMs += ms;
      monotonicMs += ms;
    };
    const watch = new WallClockWatch({ now: () => new Date(wallMs), monotonicMs: () => monotonicMs });
    const jumps: number[] = [];
    const isTrusted = (): boolean => watch.isTrusted((ms) => jumps.push(ms));
    pass(48 * hourMs);
    wallMs += hourMs / 2;
    assert.equal(isTrusted(), true);
    wallMs += jumpMs;
    assert.deepEqual([isTrusted(), jumps], [false, [jumpMs]]);
    pass(24 * hourMs - 1);
    assert.equal(isTrusted(), false);
    pass(1);
    assert.deepEqual([isTrusted(), jumps], [true, [jumpMs]]);
  }
});
