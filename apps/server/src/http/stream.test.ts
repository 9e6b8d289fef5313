import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { lastEventId, numbered, sendEvents } from './stream.ts';

async function* lines(): AsyncIterable<string> {
  yield 'one';
  yield 'two';
  yield 'three';
}

async function streamed(last?: string): Promise<string> {
  const api = Fastify();
  api.get('/', async (request, reply) => {
    await sendEvents(reply, { name: 'line', events: numbered(lines(), lastEventId(request.headers['last-event-id']) ?? 0) });
  });
  try {
    return (await api.inject({ url: '/', headers: last === undefined ? {} : { 'last-event-id': last } })).body;
  } finally {
    await api.close();
  }
}

test('values are numbered events, and the end is told', async () => {
  const first = 'id: 1\nevent: line\ndata: "one"\n\nid: 2\nevent: line\ndata: "two"\n\n';
  assert.equal(await streamed(), `${first}id: 3\nevent: line\ndata: "three"\n\nevent: end\ndata: null\n\n`);
});

test('a client that comes back gets only what it has not seen', async () => {
  assert.equal(await streamed('2'), 'id: 3\nevent: line\ndata: "three"\n\nevent: end\ndata: null\n\n');
});

test('a Last-Event-ID that is no number is passed over', async () => {
  const headers = ['x', '-1', '1.5', '', undefined, '9'.repeat(16)];
  assert.deepEqual(headers.map(lastEventId), [undefined, undefined, undefined, undefined, undefined, undefined]);
  assert.deepEqual([lastEventId('0'), lastEventId('12')], [0, 12]);
  assert.equal(await streamed('x'), await streamed());
});
