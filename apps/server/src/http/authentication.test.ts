import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asked, openTestApi, problemIn } from './api-fixture.ts';

const nobody = { authorization: undefined };
const needed = [401, 'unauthenticated', 'a token is needed'];

test('a request without a token is told that one is needed, and how it is sent', async (t) => {
  const { ask } = openTestApi(t);
  const response = await ask({ url: '/v1/projects', headers: nobody });
  assert.deepEqual(
    [response.headers['content-type'], response.headers['www-authenticate']],
    ['application/problem+json; charset=utf-8', 'Bearer realm="coppice"'],
  );
  assert.deepEqual(response.json(), {
    type: 'https://coppice.invalid/errors/unauthenticated',
    title: 'unauthenticated',
    status: 401,
    detail: 'a token is needed',
    code: 'unauthenticated',
    hint: 'send Authorization: Bearer TOKEN; the administrator’s is in DIR/admin-token',
  });
});

test('a token that nobody holds is refused', async (t) => {
  const { ask } = openTestApi(t);
  const response = await ask({ url: '/v1/projects', headers: { authorization: 'Bearer bad' } });
  assert.deepEqual(problemIn(response), [401, 'unauthenticated', 'the token is not valid']);
});

test('the scheme is Bearer, in any case, and nothing else', async (t) => {
  const { ask } = openTestApi(t, { listProjects: () => [] });
  const statuses: number[] = [];
  for (const authorization of ['bearer good', 'BEARER good', 'Basic good', 'good', 'Bearer', 'Bearer good good'])
    statuses.push((await ask({ url: '/v1/projects', headers: { authorization } })).statusCode);
  assert.deepEqual(statuses, [200, 200, 401, 401, 401, 401]);
});

test('nothing of a request is looked at before its token', async (t) => {
  const { ask } = openTestApi(t);
  const asked: readonly Asked[] = [
    { method: 'POST', url: '/v1/projects', body: '{ no json' },
    { method: 'POST', url: '/v1/projects', body: { title: 1 } },
    { method: 'POST', url: '/v1/projects', body: JSON.stringify({ name: 'x'.repeat(2 * 1024 * 1024) }) },
    { method: 'POST', url: '/v1/projects', body: 'name: shop', headers: { 'content-type': 'application/yaml' } },
    { method: 'POST', url: '/v1/projects', body: { name: 'shop' }, headers: { 'idempotency-key': 'x'.repeat(300) } },
    { url: '/v1/activities?limit=many' },
  ];
  const answers: (readonly unknown[])[] = [];
  for (const one of asked) answers.push(problemIn(await ask({ ...one, headers: { ...one.headers, ...nobody } })));
  assert.deepEqual(
    answers,
    asked.map(() => needed),
  );
});

test('what is done is done in the name of whoever holds the token', async (t) => {
  const actors: string[] = [];
  const { ask } = openTestApi(t, { deleteProject: async (_name, actor) => void actors.push(actor) });
  await ask({ method: 'DELETE', url: '/v1/projects/shop' });
  await ask({ method: 'DELETE', url: '/v1/projects/shop', headers: { authorization: 'Bearer other' } });
  assert.deepEqual(actors, ['admin', 'somebody']);
});
