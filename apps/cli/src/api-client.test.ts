import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { ApiClient } from './api-client.ts';
import { exitCodeOf } from './exit-code.ts';
import { type ServerFixture, sendJson, sendProblem, serverFixture } from './server-fixture.ts';

type Answer = Parameters<typeof serverFixture>[1];

async function client(t: TestContext, answer: Answer): Promise<{ readonly api: ApiClient; readonly server: ServerFixture }> {
  const server = await serverFixture(t, answer);
  return { api: new ApiClient({ url: server.url, token: 'secret' }), server };
}

/** The failure of a request that must fail. */
async function failure(request: Promise<unknown>): Promise<unknown> {
  const answer = await request.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  assert.ok('error' in answer, 'the request did not fail');
  return answer.error;
}

/** Exit code and message of the failure. */
function spoken(error: unknown): readonly unknown[] {
  return [exitCodeOf(error), error instanceof Error ? error.message : error];
}

async function all<Value>(values: AsyncIterable<Value>): Promise<readonly Value[]> {
  const kept: Value[] = [];
  for await (const value of values) kept.push(value);
  return kept;
}

test('a request says who asks, and leaves out what is not given', async (t) => {
  const { api, server } = await client(t, (_asked, response) => sendJson(response, { items: [{ name: 'shop' }], next: null }));
  assert.deepEqual(await api.list('/projects', { node: 'a b&c', since: undefined }), [{ name: 'shop' }]);
  await api.get('/projects', { since: undefined });
  assert.deepEqual(
    server.asked.map(({ method, path, headers }) => [method, path, headers.authorization, headers['idempotency-key']]),
    [
      ['GET', '/projects?node=a+b%26c', 'Bearer secret', undefined],
      ['GET', '/projects', 'Bearer secret', undefined],
    ],
  );
});

test('a list is read page after page; who asks for a page gets the first', async (t) => {
  const pages: Readonly<Record<string, object>> = {
    '/activities?limit=2': { items: [9, 8], next: '8' },
    '/activities?limit=2&before=8': { items: [7, 5], next: '5' },
    '/activities?limit=2&before=5': { items: [1], next: null },
  };
  const { api, server } = await client(t, ({ path }, response) => sendJson(response, pages[path] ?? {}));
  assert.deepEqual(await api.list('/activities', { limit: '2' }), [9, 8, 7, 5, 1]);
  assert.equal(server.asked.length, 3);
  assert.deepEqual(await api.page('/activities', { limit: '2' }), { items: [9, 8], next: '8' });
});

test('a change carries its body and a key of its own, and may be answered with nothing', async (t) => {
  const { api, server } = await client(t, ({ method }, response) => {
    if (method === 'DELETE') response.writeHead(204).end();
    else sendJson(response, { name: 'shop' });
  });
  const answers = [await api.send('POST', '/projects', { name: 'shop' }), await api.send('DELETE', '/projects/shop')];
  assert.deepEqual(answers, [{ name: 'shop' }, undefined]);
  assert.deepEqual(
    server.asked.map(({ method, body, headers }) => [method, body, headers['content-type']]),
    [
      ['POST', '{"name":"shop"}', 'application/json'],
      ['DELETE', '', undefined],
    ],
  );
  const keys = server.asked.map(({ headers }) => headers['idempotency-key']);
  assert.ok(keys.every((key) => /^[0-9a-f-]{36}$/.test(String(key))) && keys[0] !== keys[1], String(keys));
});

test('problem details become the same failure here: code, message, hint and diagnostics', async (t) => {
  const diagnostics = [{ code: 'unknown-key', severity: 'error', message: 'no', at: { file: 'coppice.yaml', line: 1, column: 2 } }];
  const problem = { code: 'invalid-configuration', detail: 'the file has an error', hint: 'mend it', diagnostics };
  const { api } = await client(t, (_asked, response) => sendProblem(response, 422, problem));
  const error = await failure(api.get('/x'));
  assert.ok(error instanceof CoppiceError);
  assert.deepEqual(
    [error.code, error.message, error.hint, error.diagnostics, exitCodeOf(error)],
    ['invalid-configuration', 'the file has an error', 'mend it', diagnostics, 2],
  );
});

test('problem details end the command as their code says', async (t) => {
  const { api } = await client(t, ({ path }, response) => sendProblem(response, 400, { code: path.slice(1), detail: `it was ${path}` }));
  const codes = ['invalid-request', 'not-found', 'not-allowed', 'unauthenticated', 'conflict', 'a-code-of-tomorrow'];
  const failures = await Promise.all(codes.map(async (code) => spoken(await failure(api.get(`/${code}`)))));
  assert.deepEqual(failures, [
    [2, 'it was /invalid-request'],
    [3, 'it was /not-found'],
    [4, 'it was /not-allowed'],
    [4, 'it was /unauthenticated'],
    [1, 'it was /conflict'],
    [1, 'it was /a-code-of-tomorrow'],
  ]);
});

test('a refusal that is no problem document is told by its status', async (t) => {
  const { api } = await client(t, (_asked, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad</h1>'));
  assert.deepEqual(spoken(await failure(api.get('/x'))), [1, 'the server answered 502']);
});

test('where nobody answers, it is said where and what to do, and the command ends with 5', async () => {
  const api = new ApiClient({ url: 'http://127.0.0.1:1', token: '' });
  const message = 'no server answers at http://127.0.0.1:1; start one with `coppice server`, or name it with --url or COPPICE_URL';
  const failures = [await failure(api.get('/x')), await failure(api.send('POST', '/x')), await failure(all(api.events('/x', {})))];
  assert.deepEqual(failures.map(spoken), [
    [5, message],
    [5, message],
    [5, message],
  ]);
});

test('an answer that is no JSON is told as a server that is not Coppice', async (t) => {
  const { api, server } = await client(t, (_asked, response) => response.writeHead(200).end('<h1>Welcome</h1>'));
  const message = `what answers at ${server.url} does not speak like a Coppice server; name it with --url or COPPICE_URL`;
  assert.deepEqual(
    [spoken(await failure(api.get('/x'))), spoken(await failure(api.send('POST', '/x')))],
    [
      [5, message],
      [5, message],
    ],
  );
});

test('events are read until the server ends them, without comments, ids and what stands in the last one', async (t) => {
  const text =
    ': alive\n\nid: 1\nevent: line\ndata: "a"\n\nid: 2\nevent: line\ndata: {"b":["é","日本"]}\n\n: alive\n\nevent: end\ndata: null\n\n';
  const { api, server } = await client(t, (_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const byte of Buffer.from(text)) response.write(Uint8Array.of(byte));
    response.end();
  });
  assert.deepEqual(await all(api.events('/activities/a_1/log', { follow: 'true' })), ['a', { b: ['é', '日本'] }]);
  assert.deepEqual(
    server.asked.map(({ path }) => path),
    ['/activities/a_1/log?follow=true'],
  );
});

test('events come as they are sent, not when all were', async (t) => {
  let next = (): void => undefined;
  const { api } = await client(t, (_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: line\ndata: "first"\n\n');
    next = () => void response.end('event: line\ndata: "second"\n\nevent: end\ndata: null\n\n');
  });
  const seen: string[] = [];
  for await (const line of api.events<string>('/x', {})) {
    seen.push(line);
    if (line === 'first') next();
  }
  assert.deepEqual(seen, ['first', 'second']);
});

test('lines are JSON values, one each, also without a newline after the last', async (t) => {
  const { api } = await client(t, (_asked, response) => response.end('{"text":"a"}\n\n{"text":"b"}'));
  assert.deepEqual(await all(api.lines('/x', {})), [{ text: 'a' }, { text: 'b' }]);
});

test('a stream that is refused fails like any request', async (t) => {
  const { api } = await client(t, (_asked, response) => sendProblem(response, 404, { code: 'not-found', detail: 'no activity a_1' }));
  assert.deepEqual(spoken(await failure(all(api.events('/x', {})))), [3, 'no activity a_1']);
});

test('a stream that breaks off tells so, after what came of it', async (t) => {
  const { api, server } = await client(t, (_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: line\ndata: "first"\n\n', () => response.destroy());
  });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const line of api.events<string>('/x', {})) seen.push(line);
  })();
  assert.deepEqual(
    [spoken(await failure(reading)), seen],
    [[5, `the connection to ${server.url} broke off before all was told`], ['first']],
  );
});

test('a stream that is given up ends with the reason of who gave it up', async (t) => {
  const { api } = await client(t, (_asked, response) => response.writeHead(200).write('{"text":"a"}\n'));
  const given = new AbortController();
  const reason = new Error('enough');
  const reading = (async () => {
    for await (const _line of api.lines('/x', {}, given.signal)) given.abort(reason);
  })();
  assert.equal(await failure(reading), reason);
});
