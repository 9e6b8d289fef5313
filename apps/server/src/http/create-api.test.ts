import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { openTestApi, problemIn, type TestApi } from './api-fixture.ts';
import { endpoints } from './endpoints.ts';

const project = { name: 'shop', remote: 'http://localhost/git/shop.git' };

test('lists are items and what comes next', async (t) => {
  const { ask } = openTestApi(t, {
    listProjects: () => [project],
    listEnvironments: async () => [],
    listDeployments: () => [],
    listActivities: () => ({ items: [], next: null }),
    doctor: async () => [{ check: 'disk', ok: true, detail: 'there is room', fix: '' }],
  });
  const answers: unknown[] = [];
  for (const path of ['projects', 'projects/shop/environments', 'projects/shop/deployments', 'activities', 'doctor'])
    answers.push((await ask({ url: `/v1/${path}` })).json());
  const none = { items: [], next: null };
  assert.deepEqual(answers, [
    { items: [project], next: null },
    none,
    none,
    none,
    { items: [{ check: 'disk', ok: true, detail: 'there is room', fix: '' }], next: null },
  ]);
});

test('what is made answers 201, what is begun 202 and what has no answer 204', async (t) => {
  const { ask } = openTestApi(t, {
    createProject: async () => project,
    deleteEnvironment: async () => ({ activity: 'a_1' }),
    cancelActivity: async () => undefined,
  });
  const made = await ask({ method: 'POST', url: '/v1/projects', body: { name: 'shop' } });
  const begun = await ask({ method: 'DELETE', url: '/v1/projects/shop/environments/main' });
  const done = await ask({ method: 'POST', url: '/v1/activities/a_1/cancel' });
  assert.deepEqual(
    [made, begun, done].map(({ statusCode, body }) => [statusCode, body]),
    [
      [201, JSON.stringify(project)],
      [202, '{"activity":"a_1"}'],
      [204, ''],
    ],
  );
});

test('a failure of the control plane is a problem with its code', async (t) => {
  const { ask, logged } = openTestApi(t, {
    showEnvironment: async () => {
      throw new CoppiceError('not-found', 'no project is named "shop"', { hint: 'there are: blog' });
    },
  });
  const response = await ask({ url: '/v1/projects/shop/environments/main' });
  assert.deepEqual(response.json(), {
    type: 'https://coppice.invalid/errors/not-found',
    title: 'not found',
    status: 404,
    detail: 'no project is named "shop"',
    code: 'not-found',
    hint: 'there are: blog',
  });
  assert.deepEqual(logged, []);
});

test('what fails inside is logged, and told to nobody', async (t) => {
  const { ask, logged } = openTestApi(t, {
    listProjects: () => {
      throw new Error('SELECT token FROM tokens');
    },
  });
  assert.deepEqual(problemIn(await ask({ url: '/v1/projects' })), [
    500,
    'internal',
    'something failed inside; the server log has the details',
  ]);
  assert.deepEqual(logged, [['request.failed', 'internal']]);
});

test('where nothing is, and where no path is, a problem is told', async (t) => {
  const { ask } = openTestApi(t);
  const answers: (readonly unknown[])[] = [];
  for (const url of ['/v1/nothing', '/', `/v1/projects/${'x'.repeat(400)}/diff`, '/v1/projects/%zz/diff'])
    answers.push(problemIn(await ask({ url })).slice(0, 2));
  answers.push(problemIn(await ask({ method: 'DELETE', url: '/v1/doctor' })));
  assert.deepEqual(answers, [
    [404, 'not-found'],
    [404, 'not-found'],
    [400, 'invalid-request'],
    [400, 'invalid-request'],
    [404, 'not-found', 'nothing is at DELETE /v1/doctor'],
  ]);
});

test('the OpenAPI document needs no token and names each operation', async (t) => {
  const { ask } = openTestApi(t);
  const response = await ask({ url: '/v1/openapi.json', headers: { authorization: undefined } });
  const { info, paths } = response.json<{ info: { version: string }; paths: Record<string, object> }>();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual([response.statusCode, info.version], [200, '1.2.3']);
  assert.deepEqual(operations.sort(), endpoints.map(({ method, path }) => `${method} /v1${path.replace(/:(\w+)/g, '{$1}')}`).sort());
});

/** Asks over a connection, as `inject` does not: past the part that tells git, registry and API apart. */
async function sent({ api }: TestApi, options: { readonly path: string }): Promise<IncomingMessage> {
  if (!api.server.listening) await api.listen({ port: 0, host: '127.0.0.1' });
  const { port } = api.server.address() as AddressInfo;
  const asking = request({ host: '127.0.0.1', port, headers: { authorization: 'Bearer good' }, ...options }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return response;
}

test('git and the registry have their own handlers, and a doubtful target none', async (t) => {
  const opened = openTestApi(t, { listProjects: () => [] });
  const answers: unknown[] = [];
  for (const path of ['/git/shop.git/info/refs', '/v2/', '/v2', '/v1/projects', '/v20', 'http://elsewhere/v1/projects']) {
    const response = await sent(opened, { path });
    answers.push([path, response.statusCode, (await text(response)).slice(0, 22)]);
  }
  assert.deepEqual(answers, [
    ['/git/shop.git/info/refs', 200, 'git'],
    ['/v2/', 200, 'registry'],
    ['/v2', 200, 'registry'],
    ['/v1/projects', 200, '{"items":[],"next":nul'],
    ['/v20', 404, '{"type":"https://coppi'],
    ['http://elsewhere/v1/projects', 400, '{"type":"https://coppi'],
  ]);
});

test('a stream that fails half-way breaks off: it does not look as if that was all', async (t) => {
  const opened = openTestApi(t, {
    logs: async function* () {
      yield { node: 'web', time: '', stream: 'stdout', text: 'one' };
      throw new CoppiceError('engine-failed', 'the engine went away');
    },
  });
  const response = await sent(opened, { path: '/v1/projects/shop/environments/main/logs' });
  await assert.rejects(text(response), { code: 'ECONNRESET' });
  assert.deepEqual(opened.logged, [['stream.failed', 'engine-failed']]);
});

test('who asks for the head of a stream gets it, and the connection is free again', async (t) => {
  const opened = openTestApi(t, { listProjects: () => [], events: ({ signal }) => never(signal) });
  await opened.api.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect((opened.api.server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  const rest = 'Host: localhost\r\nAuthorization: Bearer good\r\n';
  socket.write(`HEAD /v1/events HTTP/1.1\r\n${rest}\r\nGET /v1/projects HTTP/1.1\r\n${rest}Connection: close\r\n\r\n`);
  const answers = await text(socket);
  assert.deepEqual(
    answers.split('\r\n').filter((line) => /^(HTTP|content-type|\{)/.test(line)),
    [
      'HTTP/1.1 200 OK',
      'content-type: text/event-stream',
      'HTTP/1.1 200 OK',
      'content-type: application/json; charset=utf-8',
      '{"items":[],"next":null}',
    ],
  );
});

async function* never(signal: AbortSignal): AsyncIterable<never> {
  yield* await once(signal, 'abort').then(() => []);
}
