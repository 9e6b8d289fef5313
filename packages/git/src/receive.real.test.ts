import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLoopbackServer } from './testing/loopback-server.ts';

test('a push is prepared from quarantine, deployed, and moves the branch', async () => {
  await using server = await startLoopbackServer();
  const client = await server.client('work');
  const commit = await client.commit('hello.txt', 'hello\n', 'Say hello');
  server.handler.onPrepare = async (push) => {
    const [update] = push.updates;
    assert.ok(update);
    const { subject } = await push.objects.commit(update.next);
    const entry = await (await push.objects.tree(update.next)).entry('hello.txt');
    push.say(`${subject}: ${entry?.size} bytes`);
    return { kind: 'accepted' };
  };
  const pushed = await client.try(['push', 'origin', 'main']);
  assert.equal(pushed.exitCode, 0, pushed.stderr + server.logged.join('\n'));
  assert.match(pushed.stderr, /remote: Say hello: 6 bytes/);
  assert.deepEqual(await server.repositories.open('p_1').refs('refs/heads/'), new Map([['refs/heads/main', commit]]));
});
