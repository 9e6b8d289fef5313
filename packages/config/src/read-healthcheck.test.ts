import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, topologyOf, web } from './reading-fixture.ts';

test('a health check asks a path or runs a command, at its own pace', () => {
  const [node] = topologyOf(web('healthcheck: { path: /health, interval: 30s, timeout: 2 }')).nodes;
  assert.deepEqual(node?.kind === 'application' && node.healthcheck, {
    path: '/health',
    command: undefined,
    intervalMs: 30_000,
    timeoutMs: 2_000,
  });
});

test('path and command together, and a path without slash, are errors', () => {
  assert.deepEqual(complaints(web('healthcheck: { path: /x, command: y }')), [
    'coppice.yaml:5:30  healthcheck: both "path" and "command" are given; remove one of them',
  ]);
  assert.deepEqual(complaints(web('healthcheck: { path: health }')), [
    'coppice.yaml:5:26  path: "health" is not allowed here; a path that starts with /',
  ]);
});
