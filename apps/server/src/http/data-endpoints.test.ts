import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlPlane } from '@coppice/control';
import { CoppiceError } from '@coppice/model';
import { type Asked, noted, openTestApi, problemIn } from './api-fixture.ts';

const shop = '/v1/projects/shop';
const main = `${shop}/environments/main`;
const ref = { activity: 'a_1' };
const backup = { id: 'b_1', environment: 'main', createdAt: '2026-03-01T12:00:00Z', bytes: 7, reason: 'by command' };
const thrown = {
  id: 't_1',
  environment: 'main',
  node: null,
  deletedAt: '2026-03-01T12:00:00Z',
  purgedAt: '2026-03-08T12:00:00Z',
  bytes: null,
};
const garbage = { kind: 'image', id: 'sha256:1', action: 'delete', why: 'nothing needs it' } as const;

/** A control plane that notes what it is asked about data: the method and what it was given. */
function keepsData(calls: unknown[]): Partial<ControlPlane> {
  return {
    createBackup: async (...given) => noted(calls, ['createBackup', ...given], { id: 'b_1' }),
    listBackups: async (...given) => noted(calls, ['listBackups', ...given], [backup]),
    restoreBackup: async (...given) => noted(calls, ['restoreBackup', ...given], ref),
    sync: async (...given) => noted(calls, ['sync', ...given], ref),
    branch: async (...given) => noted(calls, ['branch', ...given], ref),
    listVolumes: async (...given) => noted(calls, ['listVolumes', ...given], [{ node: 'db', volume: 'data', bytes: 7 }]),
    listTrash: async (...given) => noted(calls, ['listTrash', ...given], [thrown]),
    restoreTrash: async (...given) => noted(calls, ['restoreTrash', ...given], ref),
    emptyTrash: async (...given) => noted(calls, ['emptyTrash', ...given], ref),
    revert: async (...given) => noted(calls, ['revert', ...given], ref),
    collectGarbage: async (...given) => noted(calls, ['collectGarbage', ...given], [garbage]),
  };
}

test('each operation on data asks the control plane for what was asked', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, keepsData(calls));
  const asked: readonly (readonly [Asked, number, unknown, readonly unknown[]])[] = [
    [{ method: 'POST', url: `${main}/backups` }, 201, { id: 'b_1' }, ['createBackup', 'shop', 'main', 'admin']],
    [{ url: `${main}/backups` }, 200, { items: [backup], next: null }, ['listBackups', 'shop', 'main']],
    [{ url: `${shop}/backups` }, 200, { items: [backup], next: null }, ['listBackups', 'shop', undefined]],
    [{ method: 'POST', url: `${shop}/backups/b_1/restore` }, 202, ref, ['restoreBackup', 'shop', 'b_1', { to: '', actor: 'admin' }]],
    [{ method: 'POST', url: `${main}/sync` }, 202, ref, ['sync', 'shop', 'main', { actor: 'admin', force: false }]],
    [{ url: `${main}/volumes` }, 200, { items: [{ node: 'db', volume: 'data', bytes: 7 }], next: null }, ['listVolumes', 'shop', 'main']],
    [{ url: `${shop}/trash` }, 200, { items: [thrown], next: null }, ['listTrash', 'shop']],
    [{ method: 'POST', url: `${shop}/trash/t_1/restore` }, 202, ref, ['restoreTrash', 'shop', 't_1', 'admin']],
    [{ method: 'DELETE', url: `${shop}/trash` }, 202, ref, ['emptyTrash', 'shop', 'admin']],
    [{ method: 'POST', url: '/v1/gc' }, 200, { items: [garbage], next: null }, ['collectGarbage', { dryRun: false, actor: 'admin' }]],
  ];
  for (const [request, status, answer, call] of asked) {
    const response = await ask(request);
    assert.deepEqual([response.statusCode, response.json(), calls.pop()], [status, answer, call]);
  }
  assert.deepEqual(calls, []);
});

test('what a body says reaches the control plane', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, keepsData(calls));
  const given: readonly Asked[] = [
    { url: `${shop}/backups/b_1/restore`, body: { to: 'feature/basket' } },
    { url: `${main}/sync`, body: { force: true } },
    { url: `${shop}/environments`, body: { name: 'feature/basket' } },
    { url: `${shop}/environments`, body: { name: 'old', from: 'main', at: 'd_1' } },
    { url: `${main}/revert`, body: { deployment: 'd_1' } },
    { url: `${main}/revert`, body: { deployment: 'd_1', withData: true } },
    { url: '/v1/gc', body: { dryRun: true } },
  ];
  const statuses: number[] = [];
  for (const one of given) statuses.push((await ask({ method: 'POST', ...one })).statusCode);
  assert.deepEqual(statuses, [202, 202, 202, 202, 202, 202, 200]);
  assert.deepEqual(calls, [
    ['restoreBackup', 'shop', 'b_1', { to: 'feature/basket', actor: 'admin' }],
    ['sync', 'shop', 'main', { actor: 'admin', force: true }],
    ['branch', 'shop', { name: 'feature/basket', from: '', at: '', actor: 'admin' }],
    ['branch', 'shop', { name: 'old', from: 'main', at: 'd_1', actor: 'admin' }],
    ['revert', 'shop', 'd_1', { actor: 'admin', environment: 'main', withData: false }],
    ['revert', 'shop', 'd_1', { actor: 'admin', environment: 'main', withData: true }],
    ['collectGarbage', { dryRun: true, actor: 'admin' }],
  ]);
});

test('the default environment is meant by a dash', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, keepsData(calls));
  await ask({ method: 'POST', url: `${shop}/environments/-/backups` });
  await ask({ url: `${shop}/environments/-/backups` });
  await ask({ method: 'POST', url: `${shop}/environments/-/sync` });
  assert.deepEqual(calls, [
    ['createBackup', 'shop', '', 'admin'],
    ['listBackups', 'shop', ''],
    ['sync', 'shop', '', { actor: 'admin', force: false }],
  ]);
});

test('an id that cannot be one is refused, with what it looks like', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, keepsData(calls));
  const answers: unknown[] = [];
  for (const path of ['backups/d_1', 'backups/b_', 'backups/b_..%2F..', 'backups/B_1', `backups/b_${'a'.repeat(65)}`, 'trash/b_1'])
    answers.push(problemIn(await ask({ method: 'POST', url: `${shop}/${path}/restore` })));
  assert.deepEqual(answers, [
    [400, 'invalid-request', 'id is an id such as b_k7mq2x, not "d_1"'],
    [400, 'invalid-request', 'id is an id such as b_k7mq2x, not "b_"'],
    [400, 'invalid-request', 'id is an id such as b_k7mq2x, not "b_../.."'],
    [400, 'invalid-request', 'id is an id such as b_k7mq2x, not "B_1"'],
    [400, 'invalid-request', `id is an id such as b_k7mq2x, not "b_${'a'.repeat(65)}"`],
    [400, 'invalid-request', 'id is an id such as t_k7mq2x, not "b_1"'],
  ]);
  assert.deepEqual(calls, []);
});

test('bodies about data that do not fit are refused, and nothing is done', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, keepsData(calls));
  const refused: readonly (readonly [Asked, string])[] = [
    [{ url: `${main}/backups`, body: { name: 'friday' } }, 'the body has a field "name", which is not known here'],
    [{ url: `${shop}/backups/b_1/restore`, body: { environment: 'x' } }, 'the body has a field "environment", which is not known here'],
    [{ url: `${shop}/backups/b_1/restore`, body: { to: 7 } }, 'the field "to" must be string'],
    [{ url: `${main}/sync`, body: { force: 'yes' } }, 'the field "force" must be boolean'],
    [{ url: `${main}/sync`, body: { forse: true } }, 'the body has a field "forse", which is not known here'],
    [{ url: `${shop}/environments`, body: {} }, 'the body lacks the field "name"'],
    [{ url: `${shop}/environments`, body: { name: '' } }, 'the field "name" must NOT have fewer than 1 characters'],
    [{ url: `${shop}/environments`, body: { name: 'x'.repeat(251) } }, 'the field "name" must NOT have more than 250 characters'],
    [{ url: `${shop}/environments`, body: { name: 'x', data: 'empty' } }, 'the body has a field "data", which is not known here'],
    [{ url: `${shop}/trash/t_1/restore`, body: { to: 'main' } }, 'the body has a field "to", which is not known here'],
    [{ url: `${main}/revert`, body: { deployment: 'd_1', withData: 1 } }, 'the field "withData" must be boolean'],
    [{ url: '/v1/gc', body: { dryrun: true } }, 'the body has a field "dryrun", which is not known here'],
    [{ method: 'DELETE', url: `${shop}/trash`, body: { all: true } }, 'the body has a field "all", which is not known here'],
  ];
  for (const [request, detail] of refused)
    assert.deepEqual(problemIn(await ask({ method: 'POST', ...request })), [400, 'invalid-request', detail]);
  assert.deepEqual(calls, []);
});

test('a repeated request with the same key takes one backup', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, {
    createBackup: async (...given) => noted(calls, given, { id: `b_${calls.length}` }),
  });
  const request: Asked = { method: 'POST', url: `${main}/backups`, headers: { 'idempotency-key': 'k1' } };
  const answers = [await ask(request), await ask(request)].map((response) => response.json<unknown>());
  assert.deepEqual(answers, [{ id: 'b_0' }, { id: 'b_0' }]);
  assert.equal(calls.length, 1);
});

test('what the control plane refuses is told with its code and hint', async (t) => {
  const { ask } = openTestApi(t, {
    sync: async () => {
      throw new CoppiceError('conflict', 'feature changed its data itself', { hint: 'coppice env sync feature --force' });
    },
  });
  const response = await ask({ method: 'POST', url: `${main}/sync` });
  const { status, code, detail, hint } = response.json<Readonly<Record<string, unknown>>>();
  assert.deepEqual([status, code, detail, hint], [409, 'conflict', 'feature changed its data itself', 'coppice env sync feature --force']);
});

test('without a token nothing about data is told or done', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, keepsData(calls));
  const statuses: number[] = [];
  for (const one of [
    { url: `${shop}/backups` },
    { url: `${shop}/trash` },
    { method: 'POST', url: `${shop}/backups/b_1/restore` },
    { method: 'POST', url: '/v1/gc' },
  ] as const)
    statuses.push((await ask({ ...one, headers: { authorization: undefined } })).statusCode);
  assert.deepEqual([statuses, calls], [[401, 401, 401, 401], []]);
});
