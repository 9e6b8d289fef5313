import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloneFixture } from '../clone-fixture.ts';
import { runCoppice } from '../run-coppice.ts';
import { sendProblem, serverFixture } from '../server-fixture.ts';
import { document, endedActivity, shopFixture } from './shop-fixture.ts';

const ref = { activity: 'a_1' };

test('env sync takes the data of the parent again and follows the activity', async (t) => {
  const { run, asked } = await shopFixture(t, {
    'POST /projects/shop/environments/-/sync': ref,
    'POST /projects/shop/environments/feature%2Fx/sync': ref,
  });
  assert.deepEqual(await run('env', 'sync', 'feature/x'), {
    code: 0,
    stdout: 'synced\n',
    stderr: 'one\ntwo\n',
  });
  assert.equal((await run('env', 'sync', '--force', '--json')).stdout, document(endedActivity('succeeded')));
  assert.deepEqual(asked(), [
    ['POST', '/projects/shop/environments/feature%2Fx/sync', '{"force":false}'],
    ['POST', '/projects/shop/environments/-/sync', '{"force":true}'],
  ]);
});

test('a sync that would throw away changes ends with 1 and names --force', async (t) => {
  const problem = { code: 'conflict', detail: 'x may hold data of its own', hint: 'coppice env sync x --force' };
  const { run } = await shopFixture(t, { 'POST /projects/shop/environments/x/sync': { refused: 409, problem } });
  const stderr = 'x may hold data of its own\ncoppice env sync x --force\n';
  assert.deepEqual(await run('env', 'sync', 'x'), { code: 1, stdout: '', stderr });
});

test('env branch creates a branch of an environment, or of what it was at a deployment', async (t) => {
  const { run, asked } = await shopFixture(t, { 'POST /projects/shop/environments': ref });
  assert.deepEqual(await run('env', 'branch', 'feature/x'), {
    code: 0,
    stdout: 'created feature/x; fetch to get the branch\n',
    stderr: 'one\ntwo\n',
  });
  await run('env', 'branch', 'x', '--from', 'main', '--at', 'd_1');
  await run('env', 'branch', 'x', '--at', 'd_1');
  await run('env', 'branch', 'x', '--env', 'staging');
  await run('env', 'branch', 'x', '--env', 'staging', '--at', 'd_1');
  assert.deepEqual(
    asked().map(([, , body]) => body),
    [
      '{"name":"feature/x"}',
      '{"name":"x","from":"main","at":"d_1"}',
      '{"name":"x","at":"d_1"}',
      '{"name":"x","from":"staging"}',
      '{"name":"x","from":"staging","at":"d_1"}',
    ],
  );
});

test('inside a clone env branch starts from the branch that is checked out, unless a deployment says where', async (t) => {
  const server = await serverFixture(t, (_asked, response) => sendProblem(response, 409, { code: 'conflict', detail: 'it is there' }));
  const clone = cloneFixture(t, { origin: `${server.url}/git/shop.git` });
  clone.git('symbolic-ref', 'HEAD', 'refs/heads/feature/basket');
  for (const more of [[], ['--at', 'd_1'], ['--from', 'main']]) {
    assert.deepEqual(await runCoppice(clone, 'env', 'branch', 'x', ...more), { code: 1, stdout: '', stderr: 'it is there\n' });
  }
  assert.deepEqual(
    server.asked.map(({ body }) => body),
    ['{"name":"x","from":"feature/basket"}', '{"name":"x","at":"d_1"}', '{"name":"x","from":"main"}'],
  );
});
