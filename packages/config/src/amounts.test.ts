import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, durationText, sizeBytes, sizeText } from './amounts.ts';
import { complaints, topologyOf, web } from './reading-fixture.ts';

test('durations are read in their units; a bare number counts seconds', () => {
  assert.deepEqual(['1500ms', '30s', '10m', '2h', '1d', 45].map(durationMs), [1500, 30_000, 600_000, 7_200_000, 86_400_000, 45_000]);
});

test('sizes are read in powers of 1024; a bare number counts MiB', () => {
  assert.deepEqual(['256M', '1G', '1.5G', '64K', '10B', 512].map(sizeBytes), [2 ** 28, 2 ** 30, 1.5 * 2 ** 30, 65_536, 10, 2 ** 29]);
});

test('amounts are shown in the largest unit without a fraction', () => {
  assert.deepEqual([0, 1500, 60_000, 86_400_000].map(durationText), ['0ms', '1500ms', '1m', '1d']);
  assert.deepEqual([2 ** 28, 2 ** 30, 1000, 1.5 * 2 ** 30].map(sizeText), ['256M', '1G', '1000B', '1536M']);
});

test('amounts that are none, or out of range, are errors', () => {
  assert.deepEqual(complaints(web('stop_grace: 5 minutes', 'healthcheck: { interval: 0, timeout: 2h }', 'resources: { memory: 1M }')), [
    'coppice.yaml:5:17  stop_grace: "5 minutes" is not allowed here; a duration such as 30s, 10m, 2h or 1d',
    'coppice.yaml:6:30  interval: "0" is out of range; from 500ms to 1h',
    'coppice.yaml:6:42  timeout: "2h" is out of range; from 500ms to 1h',
    'coppice.yaml:7:26  memory: "1M" is out of range; from 16M to 16T',
  ]);
});

test('sizes by word are CPU and memory, and exact figures win', () => {
  const [node] = topologyOf(web('size: L', 'resources: { memory: 1G }')).nodes;
  assert.deepEqual(node?.resources, { cpu: 1, memoryBytes: 2 ** 30 });
  const [automatic] = topologyOf(web('size: AUTO')).nodes;
  assert.deepEqual(automatic?.resources, {});
});
