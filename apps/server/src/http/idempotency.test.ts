import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { type Asked, openTestApi, problemIn, type TestApi } from './api-fixture.ts';
import { IdempotencyKeys } from './idempotency.ts';

const project: Asked = { method: 'POST', url: '/v1/projects', body: { name: 'shop' }, headers: { 'idempotency-key': 'k1' } };
const reused = [422, 'idempotency-key-reused', 'the Idempotency-Key "k1" was sent before with another request'];

/** An API that counts what it makes. */
function openCounting(t: Parameters<typeof openTestApi>[0]): TestApi & { readonly made: string[] } {
  const made: string[] = [];
  const createProject = async (name: string): Promise<{ name: string; remote: string }> => {
    made.push(name);
    if (name === 'taken') throw new CoppiceError('conflict', `a project is named "${name}"`);
    return { name, remote: `made ${made.length}` };
  };
  const deleteProject = async (name: string): Promise<void> => void made.push(`not ${name}`);
  return { ...openTestApi(t, { createProject, deleteProject }), made };
}

test('a retry with the same key gets the first answer, and nothing is done twice', async (t) => {
  const { ask, made } = openCounting(t);
  const answers = [await ask(project), await ask(project)].map((response) => [response.statusCode, response.json<unknown>()]);
  assert.deepEqual(answers, [
    [201, { name: 'shop', remote: 'made 1' }],
    [201, { name: 'shop', remote: 'made 1' }],
  ]);
  assert.deepEqual(made, ['shop']);
});

test('a retry that comes while the first is at work waits for its answer', async (t) => {
  const { ask, made } = openCounting(t);
  const answers = await Promise.all([ask(project), ask(project), ask(project)]);
  assert.deepEqual(
    answers.map((response) => response.json<{ remote: string }>().remote),
    ['made 1', 'made 1', 'made 1'],
  );
  assert.deepEqual(made, ['shop']);
});

test('a retry gets the first failure too', async (t) => {
  const { ask, made } = openCounting(t);
  const taken = { ...project, body: { name: 'taken' } };
  assert.deepEqual(problemIn(await ask(taken)), [409, 'conflict', 'a project is named "taken"']);
  assert.deepEqual(problemIn(await ask(taken)), [409, 'conflict', 'a project is named "taken"']);
  assert.deepEqual(made, ['taken']);
});

test('a key that comes again with another body, path or method is refused, and nothing is done', async (t) => {
  const { ask, made } = openCounting(t);
  await ask(project);
  const headers = { 'idempotency-key': 'k1' };
  const others: readonly Asked[] = [
    { ...project, body: { name: 'other' } },
    { method: 'DELETE', url: '/v1/projects/shop', headers },
    { method: 'POST', url: '/v1/projects/shop/environments/main/redeploy', headers },
  ];
  const answers: (readonly unknown[])[] = [];
  for (const other of others) answers.push(problemIn(await ask(other)));
  assert.deepEqual(answers, [reused, reused, reused]);
  assert.deepEqual(made, ['shop']);
});

test('the order of fields and blanks in the body make no other request', async (t) => {
  const { ask, made } = openCounting(t);
  await ask(project);
  assert.equal((await ask({ ...project, body: '{ "name" :\n"shop" }' })).statusCode, 201);
  assert.deepEqual(made, ['shop']);
});

test('keys of two people have nothing to do with each other', async (t) => {
  const { ask, made } = openCounting(t);
  await ask(project);
  await ask({ ...project, body: { name: 'other' }, headers: { ...project.headers, authorization: 'Bearer other' } });
  assert.deepEqual(made, ['shop', 'other']);
});

test('without a key each request is done', async (t) => {
  const { ask, made } = openCounting(t);
  const plain: Asked = { method: 'POST', url: '/v1/projects', body: { name: 'shop' } };
  await ask(plain);
  await ask(plain);
  assert.deepEqual(made, ['shop', 'shop']);
});

test('a reading request does not mind the key', async (t) => {
  const { ask } = openTestApi(t, { listProjects: () => [] });
  const statuses: number[] = [];
  for (const url of ['/v1/projects', '/v1/projects?again'])
    statuses.push((await ask({ url, headers: { 'idempotency-key': 'k1' } })).statusCode);
  assert.deepEqual(statuses, [200, 200]);
});

test('a key that is empty or too long is refused', async (t) => {
  const { ask, made } = openCounting(t);
  const detail = 'an Idempotency-Key has 1 to 255 characters';
  const answers: (readonly unknown[])[] = [];
  for (const key of ['', 'x'.repeat(256)]) answers.push(problemIn(await ask({ ...project, headers: { 'idempotency-key': key } })));
  assert.deepEqual(answers, [
    [400, 'invalid-request', detail],
    [400, 'invalid-request', detail],
  ]);
  assert.deepEqual(made, []);
});

test('a key is forgotten after ten minutes, and means what it then is sent with', async () => {
  let nowMs = 0;
  const keys = new IdempotencyKeys(() => nowMs);
  const use = async (request: string, answer: string): Promise<unknown> =>
    await keys.once({ actor: 'admin', key: 'k', request }, async () => answer);
  const answers = [await use('one', 'first')];
  nowMs = 10 * 60_000 - 1;
  answers.push(await use('one', 'second'));
  nowMs = 10 * 60_000;
  answers.push(await use('two', 'third'));
  nowMs += 1;
  answers.push(await use('two', 'fourth'));
  assert.deepEqual(answers, ['first', 'first', 'third', 'third']);
});

test('over ten thousand keys the oldest is forgotten first', async () => {
  const keys = new IdempotencyKeys(() => 0);
  const use = async (key: string, answer: string): Promise<unknown> =>
    await keys.once({ actor: 'admin', key, request: 'one' }, async () => answer);
  for (let count = 0; count <= 10_000; count += 1) await use(`k${count}`, 'first');
  assert.deepEqual([await use('k1', 'again'), await use('k10000', 'again'), await use('k0', 'again')], ['first', 'first', 'again']);
});
