import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlMetrics } from './control-metrics.ts';
import { formatFamilies } from './family.ts';

test('what the control plane measures is counted', () => {
  const metrics = new ControlMetrics();
  const zero = formatFamilies(metrics.families()).split('\n');
  metrics.measure({ kind: 'activity-ended', activity: 'push', state: 'failed' });
  metrics.measure({ kind: 'failure', code: 'build-failed' });
  metrics.measure({ kind: 'failure', code: 'build-failed' });
  metrics.measure({ kind: 'step-ended', step: 'start', state: 'done', durationMs: 1_500 });
  metrics.measure({ kind: 'look' });
  metrics.measure({ kind: 'settled', lagMs: 60_000 });
  metrics.measure({ kind: 'crashes', count: 3 });
  const now = formatFamilies(metrics.families()).split('\n');
  assert.deepEqual(
    now.filter((line) => !zero.includes(line)),
    [
      'coppice_activities_ended_total{kind="push",state="failed"} 1',
      'coppice_failures_total{code="build-failed"} 2',
      ...[0.01, 0.05, 0.1, 0.5, 1].map((bound) => `coppice_step_seconds_bucket{step="start",le="${bound}"} 0`),
      ...[5, 15, 60, 300, 1800, '+Inf'].map((bound) => `coppice_step_seconds_bucket{step="start",le="${bound}"} 1`),
      'coppice_step_seconds_sum{step="start"} 1.5',
      'coppice_step_seconds_count{step="start"} 1',
      'coppice_looks_total 1',
      ...[60, 300, 1800, '+Inf'].map((bound) => `coppice_reconcile_lag_seconds_bucket{le="${bound}"} 1`),
      'coppice_reconcile_lag_seconds_sum 60',
      'coppice_reconcile_lag_seconds_count 1',
      'coppice_crashes_total 3',
    ],
  );
});
