import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { eventsSeen, sendEvents } from './stream.ts';

async function* lines(): AsyncIterable<string> {
  yield 'one';
  yield 'two';
  yield 'three';
}

async function streamed(lastEventId?: string): Promise<string> {
  const api = Fastify();
  api.get('/', async (request, reply) => {
    await sendEvents(reply, { name: 'line', values: lines(), skip: eventsSeen(request.headers['last-event-id']) });
  });
  try {
    return (await api.inject({ url: '/', headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } })).body;
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

test('a Last-Event-ID that is no number is passed over', () => {
  assert.deepEqual([eventsSeen('x'), eventsSeen('-1'), eventsSeen(undefined), eventsSeen('99999999999999')], [0, 0, 0, 0]);
});
