import type { FastifyReply } from 'fastify';

const heartbeatMs = 15_000;

/** Streams values as server-sent events, `event: name` and one JSON line each, until they end or the client goes away. */
export async function sendEvents(reply: FastifyReply, name: string, values: AsyncIterable<unknown>): Promise<void> {
  const raw = begin(reply, 'text/event-stream');
  const heartbeat = setInterval(() => raw.write(': alive\n\n'), heartbeatMs);
  let id = 0;
  try {
    for await (const value of values) {
      id += 1;
      await write(raw, `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
    }
    await write(raw, 'event: end\ndata: null\n\n');
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
}

/** Streams values as newline-delimited JSON. */
export async function sendLines(reply: FastifyReply, values: AsyncIterable<unknown>): Promise<void> {
  const raw = begin(reply, 'application/x-ndjson');
  try {
    for await (const value of values) await write(raw, `${JSON.stringify(value)}\n`);
  } finally {
    raw.end();
  }
}

function begin(reply: FastifyReply, type: string): FastifyReply['raw'] {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  reply.raw.flushHeaders();
  return reply.raw;
}

/** Waits for a slow reader instead of buffering for it. */
async function write(raw: FastifyReply['raw'], text: string): Promise<void> {
  if (raw.destroyed || raw.write(text)) return;
  await new Promise<void>((resolve) => {
    raw.once('drain', resolve);
    raw.once('close', resolve);
  });
}
