import assert from 'node:assert/strict';
import { test } from 'node:test';
import { document, shopFixture } from './shop-fixture.ts';

const thrown = [
  {
    id: 't_2',
    environment: 'main',
    node: 'search',
    deletedAt: '2026-03-02T03:00:00Z',
    purgedAt: '2026-03-09T03:00:00Z',
    bytes: 12_345_678,
  },
  { id: 't_1', environment: 'gone', node: null, deletedAt: '2026-03-01T12:00:00Z', purgedAt: '2026-03-08T12:00:00Z', bytes: null },
];

test('trash list is a table, and with --json the whole document', async (t) => {
  const { run } = await shopFixture(t, { 'GET /projects/shop/trash': { items: thrown, next: null } });
  assert.deepEqual((await run('trash', 'list')).stdout.split('\n'), [
    'ID   ENVIRONMENT  DATA OF  DELETED               GONE AFTER            SIZE',
    't_2  main         search   2026-03-02T03:00:00Z  2026-03-09T03:00:00Z  11.8 MiB',
    't_1  gone         all      2026-03-01T12:00:00Z  2026-03-08T12:00:00Z  -',
    '',
  ]);
  assert.deepEqual(await run('trash', 'list', '--json'), { code: 0, stdout: document(thrown), stderr: '' });
});

test('an empty trash is an empty list', async (t) => {
  const { run } = await shopFixture(t, { 'GET /projects/shop/trash': { items: [], next: null } });
  assert.equal((await run('trash', 'list')).stdout, 'the trash is empty\n');
  assert.equal((await run('trash', 'list', '--json')).stdout, '[]\n');
});

test('trash restore and empty follow their activity to its end', async (t) => {
  const { run, asked } = await shopFixture(t, {
    'POST /projects/shop/trash/t_1/restore': { activity: 'a_1' },
    'DELETE /projects/shop/trash': { activity: 'a_1' },
  });
  assert.deepEqual(await run('trash', 'restore', 't_1'), { code: 0, stdout: 'restored t_1\n', stderr: 'one\ntwo\n' });
  assert.deepEqual(await run('trash', 'empty'), { code: 0, stdout: 'the trash is empty\n', stderr: 'one\ntwo\n' });
  assert.deepEqual(asked(), [
    ['POST', '/projects/shop/trash/t_1/restore'],
    ['DELETE', '/projects/shop/trash'],
  ]);
});

test('what does not lie in the trash ends with 3', async (t) => {
  const { run } = await shopFixture(t, {
    'POST /projects/shop/trash/t_9/restore': { refused: 404, problem: { code: 'not-found', detail: 'nothing in the trash is t_9' } },
  });
  assert.deepEqual(await run('trash', 'restore', 't_9'), { code: 3, stdout: '', stderr: 'nothing in the trash is t_9\n' });
});
