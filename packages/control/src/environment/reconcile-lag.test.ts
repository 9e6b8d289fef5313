import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnvironmentId } from '@coppice/model';
import type { Measurement } from '../measurement.ts';
import { ReconcileLag } from './reconcile-lag.ts';

const [main, fix] = ['e_main', 'e_fix'] as [EnvironmentId, EnvironmentId];

test('the lag runs from the first look that was asked for, and the oldest is what still waits', () => {
  const measured: Measurement[] = [];
  let nowMs = 100;
  const clock = { now: () => new Date(0), monotonicMs: () => nowMs };
  const lag = new ReconcileLag({ clock, measure: (measurement) => measured.push(measurement) });
  assert.equal(lag.oldestMs(), 0);
  lag.asked(main);
  nowMs = 130;
  lag.asked(fix);
  lag.asked(main);
  nowMs = 150;
  assert.equal(lag.oldestMs(), 50);
  lag.settled(main);
  assert.equal(lag.oldestMs(), 20);
  lag.settled(main);
  nowMs = 160;
  lag.settled(fix);
  assert.equal(lag.oldestMs(), 0);
  assert.deepEqual(measured, [
    { kind: 'settled', lagMs: 50 },
    { kind: 'settled', lagMs: 30 },
  ]);
});
