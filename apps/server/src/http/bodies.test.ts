import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlPlane } from '@coppice/control';
import { type Asked, noted, openTestApi, problemIn, type TestApi } from './api-fixture.ts';

const environment = '/v1/projects/shop/environments/main';

/** The bodies that the control plane would be asked with: none of those that are refused. */
function takesAll(calls: unknown[]): Partial<ControlPlane> {
  const ref = { activity: 'a_1' };
  return {
    createProject: async (name) => ({ name, remote: `http://localhost/git/${name}.git` }),
    redeploy: async (...given) => noted(calls, given, ref),
    revert: async (...given) => noted(calls, given, ref),
    suspend: async (...given) => noted(calls, given, ref),
  };
}

async function refusals(ask: TestApi['ask'], asked: readonly Asked[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const one of asked) answers.push(problemIn(await ask({ method: 'POST', ...one })));
  return answers;
}

test('a field that is not known is refused by its name, not dropped', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, takesAll(calls));
  const answers = await refusals(ask, [
    { url: '/v1/projects', body: { name: 'shop', colour: 'red' } },
    { url: `${environment}/redeploy`, body: { refesh: true } },
    { url: `${environment}/suspend`, body: { until: 'monday' } },
    { url: '/v1/projects', body: '{"name":"shop","__proto__":{"admin":true}}' },
  ]);
  assert.deepEqual(answers, [
    [400, 'invalid-request', 'the body has a field "colour", which is not known here'],
    [400, 'invalid-request', 'the body has a field "refesh", which is not known here'],
    [400, 'invalid-request', 'the body has a field "until", which is not known here'],
    [400, 'invalid-request', 'the body has a field "__proto__", which is not known here'],
  ]);
  assert.deepEqual(calls, []);
});

test('a value of another type is refused by the name of its field, not turned into the right one', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, takesAll(calls));
  const answers = await refusals(ask, [
    { url: '/v1/projects', body: { name: 7 } },
    { url: '/v1/projects', body: { name: ['shop'] } },
    { url: '/v1/projects', body: { name: 'x'.repeat(65) } },
    { url: `${environment}/redeploy`, body: { refresh: 'true' } },
    { url: `${environment}/revert`, body: { deployment: null } },
  ]);
  assert.deepEqual(answers, [
    [400, 'invalid-request', 'the field "name" must be string'],
    [400, 'invalid-request', 'the field "name" must be string'],
    [400, 'invalid-request', 'the field "name" must NOT have more than 64 characters'],
    [400, 'invalid-request', 'the field "refresh" must be boolean'],
    [400, 'invalid-request', 'the field "deployment" must be string'],
  ]);
  assert.deepEqual(calls, []);
});

test('a body that is no object, no JSON or not said to be JSON is refused', async (t) => {
  const { ask } = openTestApi(t, takesAll([]));
  const answers = await refusals(ask, [
    { url: '/v1/projects', body: '["shop"]' },
    { url: '/v1/projects', body: 'null' },
    { url: '/v1/projects', body: '{ no json' },
    { url: '/v1/projects', body: 'shop', headers: { 'content-type': 'text/plain' } },
    { url: '/v1/projects', body: 'name: shop', headers: { 'content-type': 'application/yaml' } },
  ]);
  assert.deepEqual(answers, [
    [400, 'invalid-request', 'the body must be object'],
    [400, 'invalid-request', 'the body must be object'],
    [400, 'invalid-request', 'the body is not JSON'],
    [400, 'invalid-request', 'the body must be object'],
    [400, 'invalid-request', 'Unsupported Media Type'],
  ]);
});

test('a missing field is named', async (t) => {
  const { ask } = openTestApi(t, takesAll([]));
  assert.deepEqual(await refusals(ask, [{ url: '/v1/projects', body: {} }, { url: `${environment}/revert` }]), [
    [400, 'invalid-request', 'the body lacks the field "name"'],
    [400, 'invalid-request', 'the body lacks the field "deployment"'],
  ]);
});

test('a body over the limit is refused', async (t) => {
  const { ask } = openTestApi(t);
  const response = await ask({ method: 'POST', url: '/v1/projects', body: JSON.stringify({ name: 'x'.repeat(1024 * 1024) }) });
  assert.deepEqual(problemIn(response), [413, 'limit-exceeded', 'Request body is too large']);
});

test('where no field is needed the body may be missing', async (t) => {
  const calls: unknown[] = [];
  const { ask } = openTestApi(t, takesAll(calls));
  const statuses: number[] = [];
  for (const body of [undefined, '', {}, { refresh: true }])
    statuses.push((await ask({ method: 'POST', url: `${environment}/redeploy`, ...(body === undefined ? {} : { body }) })).statusCode);
  assert.deepEqual(statuses, [202, 202, 202, 202]);
  assert.deepEqual(
    calls,
    [false, false, false, true].map((refresh) => ['shop', 'main', { actor: 'admin', refresh }]),
  );
});
