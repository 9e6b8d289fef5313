import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestApi } from './api-fixture.ts';

const anonymous = { authorization: undefined };

test('a server all of whose parts work is ready, and needs no token to say so', async (t) => {
  const { ask } = openTestApi(t, { readiness: async () => ({ engine: undefined, loop: undefined }) });
  const answer = await ask({ url: '/readyz', headers: anonymous });
  assert.deepEqual([answer.statusCode, answer.json()], [200, { ready: true, parts: { engine: { ready: true }, loop: { ready: true } } }]);
});

test('one of whose parts one does not work answers 503 and says of each part whether it is ready, and why not', async (t) => {
  const { ask } = openTestApi(t, { readiness: async () => ({ engine: 'no answer at docker.sock', loop: undefined }) });
  const answer = await ask({ url: '/readyz', headers: anonymous });
  assert.deepEqual(
    [answer.statusCode, answer.json()],
    [503, { ready: false, parts: { engine: { ready: false, why: 'no answer at docker.sock' }, loop: { ready: true } } }],
  );
});

test('metrics are plain text, and a server that lives says so', async (t) => {
  const { ask } = openTestApi(t, {}, { metrics: async () => 'coppice_up 1\n' });
  const metrics = await ask({ url: '/metrics', headers: anonymous });
  assert.deepEqual(
    [metrics.statusCode, metrics.headers['content-type'], metrics.body],
    [200, 'text/plain; version=0.0.4', 'coppice_up 1\n'],
  );
  const health = await ask({ url: '/healthz', headers: anonymous });
  assert.deepEqual([health.statusCode, health.json()], [200, { status: 'ok' }]);
});
