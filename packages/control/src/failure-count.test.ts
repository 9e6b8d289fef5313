import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { FailureCount } from './failure-count.ts';
import type { Measurement } from './measurement.ts';

test('a failure counts once by its code, also where it is told on in other words', () => {
  const measured: Measurement[] = [];
  const failures = new FailureCount({ measure: (measurement) => measured.push(measurement) });
  const defect = new TypeError('x is undefined');
  failures.add(defect);
  failures.add(defect);
  failures.add(new CoppiceError('internal', 'internal error: x is undefined', { cause: defect }));
  failures.add(new CoppiceError('superseded', 'by another'));
  failures.add(new DOMException('gone', 'AbortError'), 'cancelled');
  failures.add('thrown text');
  assert.deepEqual(
    measured,
    ['internal', 'superseded', 'cancelled', 'internal'].map((code) => ({ kind: 'failure', code })),
  );
});

test('without anybody who measures, nothing happens', () => {
  new FailureCount({}).add(new Error('lost'));
});
