import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noCommit, SimulatedServer } from './simulated-server.ts';

const keeper = `applications:
  web:
    type: nodejs:24
    start: node server.js
    healthcheck: { command: ./check }
    mounts: { data: storage }
    resources: { disk: 3G }
`;

test('the data of an environment is limited once it is there, and again by each server that starts', async (t) => {
  const server = new SimulatedServer(t);
  const limits: (number | 'none')[] = [];
  let isSet = Promise.withResolvers<void>();
  const volumes: typeof server.volumes = {
    ...server.volumes,
    setQuota: async (_, bytes) => {
      limits.push(bytes);
      isSet.resolve();
    },
  };
  const before = server.serve({ ...server.ports, volumes });
  const first = server.repository.commit(keeper);
  assert.equal((await server.push(before, { previous: noCommit, next: first }))?.kind, 'ok', server.said.join('\n'));
  assert.deepEqual(limits, [3 * 1024 ** 3]);
  before.stop();
  isSet = Promise.withResolvers();
  await server.serve({ ...server.ports, volumes }).start();
  await isSet.promise;
  assert.deepEqual(limits, [3 * 1024 ** 3, 3 * 1024 ** 3]);
});
