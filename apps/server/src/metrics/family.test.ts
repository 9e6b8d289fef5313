import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFamilies } from './family.ts';
import { Histogram } from './histogram.ts';

test('metrics are written in the text format of Prometheus, buckets with all below them', () => {
  const histogram = new Histogram([0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 4]) histogram.observe(seconds);
  const text = formatFamilies([
    { name: 'coppice_looks_total', help: 'Looks', type: 'counter', samples: [{ value: 3 }] },
    { name: 'coppice_requests_held', help: 'Held', type: 'gauge', samples: [] },
    { name: 'coppice_step_seconds', help: 'Steps', type: 'histogram', samples: histogram.samples({ step: 'start' }) },
  ]);
  assert.equal(
    text,
    `# HELP coppice_looks_total Looks
# TYPE coppice_looks_total counter
coppice_looks_total 3
# HELP coppice_requests_held Held
# TYPE coppice_requests_held gauge
# HELP coppice_step_seconds Steps
# TYPE coppice_step_seconds histogram
coppice_step_seconds_bucket{step="start",le="0.1"} 2
coppice_step_seconds_bucket{step="start",le="1"} 3
coppice_step_seconds_bucket{step="start",le="+Inf"} 4
coppice_step_seconds_sum{step="start"} 4.65
coppice_step_seconds_count{step="start"} 4
`,
  );
});
