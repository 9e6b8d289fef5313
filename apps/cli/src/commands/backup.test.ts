import assert from 'node:assert/strict';
import { test } from 'node:test';
import { document, endedActivity, shopFixture } from './shop-fixture.ts';

const backups = [
  { id: 'b_2', environment: 'main', createdAt: '2026-03-02T03:00:00Z', bytes: 1_610_612_736, reason: 'schedule 0 3 * * *' },
  { id: 'b_1', environment: 'gone', createdAt: '2026-03-01T12:00:00Z', bytes: null, reason: 'by command' },
];

test('backup create waits, and prints the id alone', async (t) => {
  const { run, asked } = await shopFixture(t, {
    'POST /projects/shop/environments/-/backups': { id: 'b_1' },
    'POST /projects/shop/environments/main/backups': { id: 'b_2' },
  });
  assert.deepEqual(await run('backup', 'create'), { code: 0, stdout: 'b_1\n', stderr: '' });
  assert.deepEqual(await run('backup', 'create', '--env', 'main', '--json'), { code: 0, stdout: document({ id: 'b_2' }), stderr: '' });
  assert.deepEqual(asked(), [
    ['POST', '/projects/shop/environments/-/backups'],
    ['POST', '/projects/shop/environments/main/backups'],
  ]);
});

test('backup list is a table with sizes for people, and all of the project with --json', async (t) => {
  const { run } = await shopFixture(t, { 'GET /projects/shop/backups': { items: backups, next: null } });
  assert.deepEqual((await run('backup', 'list')).stdout.split('\n'), [
    'ID   ENVIRONMENT  TAKEN                 SIZE     REASON',
    'b_2  main         2026-03-02T03:00:00Z  1.5 GiB  schedule 0 3 * * *',
    'b_1  gone         2026-03-01T12:00:00Z  -        by command',
    '',
  ]);
  assert.deepEqual(await run('backup', 'list', '--json'), { code: 0, stdout: document(backups), stderr: '' });
});

test('backup list keeps to an environment that is named, and says where there is none', async (t) => {
  const { run } = await shopFixture(t, { 'GET /projects/shop/environments/feature%2Fx/backups': { items: [], next: null } });
  assert.deepEqual(await run('backup', 'list', '--env', 'feature/x'), {
    code: 0,
    stdout: 'no backup yet; take one: coppice backup create\n',
    stderr: '',
  });
});

test('backup restore follows the activity to its end, into the environment that --to names', async (t) => {
  const { run, asked } = await shopFixture(t, { 'POST /projects/shop/backups/b_1/restore': { activity: 'a_1' } });
  assert.deepEqual(await run('backup', 'restore', 'b_1'), { code: 0, stdout: 'restored b_1\n', stderr: 'one\ntwo\n' });
  assert.deepEqual(await run('backup', 'restore', 'b_1', '--to', 'copy', '--json'), {
    code: 0,
    stdout: document(endedActivity('succeeded')),
    stderr: 'one\ntwo\n',
  });
  assert.deepEqual(asked(), [
    ['POST', '/projects/shop/backups/b_1/restore', '{}'],
    ['POST', '/projects/shop/backups/b_1/restore', '{"to":"copy"}'],
  ]);
});

test('a restore that fails ends with 1 and its last line', async (t) => {
  const { run } = await shopFixture(t, { 'POST /projects/shop/backups/b_1/restore': { activity: 'a_1' } }, 'failed');
  assert.deepEqual(await run('backup', 'restore', 'b_1'), { code: 1, stdout: '', stderr: 'one\ntwo\ntwo\n' });
});

test('a backup that is not there ends with 3, an id that cannot be one with 2', async (t) => {
  const { run } = await shopFixture(t, {
    'POST /projects/shop/backups/b_none/restore': { refused: 404, problem: { code: 'not-found', detail: 'no backup b_none' } },
    'POST /projects/shop/backups/main/restore': {
      refused: 400,
      problem: { code: 'invalid-request', detail: 'id is an id such as b_k7mq2x' },
    },
  });
  assert.deepEqual(await run('backup', 'restore', 'b_none'), { code: 3, stdout: '', stderr: 'no backup b_none\n' });
  assert.deepEqual(await run('backup', 'restore', 'main'), { code: 2, stdout: '', stderr: 'id is an id such as b_k7mq2x\n' });
  assert.equal((await run('backup', 'restore')).code, 2);
});
