import type { FastifyReply } from 'fastify';

const heartbeatMs = 15_000;

/** What is streamed as server-sent events. */
export interface EventStream {
  /** Of each event. */
  readonly name: string;
  readonly values: AsyncIterable<unknown>;
  /** So many values the client has from an earlier connection: they are left out. */
  readonly skip: number;
}

/**
 * Streams values as server-sent events, `event: name` and one JSON line each, until they end or the client goes away. Where the values
 * fail the answer stays open: the caller is to break it off.
 */
export async function sendEvents(reply: FastifyReply, { name, values, skip }: EventStream): Promise<void> {
  const raw = begin(reply, 'text/event-stream');
  if (raw.writableEnded) return;
  const heartbeat = setInterval(() => raw.write(': alive\n\n'), heartbeatMs);
  let id = 0;
  try {
    for await (const value of values) {
      id += 1;
      if (id <= skip) continue;
      await write(raw, `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
    }
    await write(raw, 'event: end\ndata: null\n\n');
    raw.end();
  } finally {
    clearInterval(heartbeat);
  }
}

/** How many events the client already has of a stream that always begins with the same ones, from its `Last-Event-ID`. */
export function eventsSeen(header: string | readonly string[] | undefined): number {
  return typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : 0;
}

/** Streams values as newline-delimited JSON; the answer stays open where they fail, too. */
export async function sendLines(reply: FastifyReply, values: AsyncIterable<unknown>): Promise<void> {
  const raw = begin(reply, 'application/x-ndjson');
  if (raw.writableEnded) return;
  for await (const value of values) await write(raw, `${JSON.stringify(value)}\n`);
  raw.end();
}

function begin(reply: FastifyReply, type: string): FastifyReply['raw'] {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  reply.raw.flushHeaders();
  // Who asks for the head alone would else keep the connection from its next request.
  if (reply.request.method === 'HEAD') reply.raw.end();
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
