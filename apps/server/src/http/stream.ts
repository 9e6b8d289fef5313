import type { FastifyReply } from 'fastify';

const heartbeatMs = 15_000;

/** What is streamed as server-sent events. */
export interface EventStream {
  /** Of each event. */
  readonly name: string;
  readonly events: AsyncIterable<StreamedEvent>;
}

/** One event; a client that comes back says the id of the last that it got. */
export interface StreamedEvent {
  readonly id: number;
  readonly value: unknown;
}

/**
 * Streams events as server-sent ones, `event: name` and one JSON line each, until they end or the client goes away. Where they fail the
 * answer stays open: the caller is to break it off.
 */
export async function sendEvents(reply: FastifyReply, { name, events }: EventStream): Promise<void> {
  const raw = begin(reply, 'text/event-stream');
  if (raw.writableEnded) return;
  const heartbeat = setInterval(() => raw.write(': alive\n\n'), heartbeatMs);
  try {
    for await (const { id, value } of events) {
      await write(raw, `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
    }
    await write(raw, 'event: end\ndata: null\n\n');
    raw.end();
  } finally {
    clearInterval(heartbeat);
  }
}

/** The id of the last event that the client got, from its `Last-Event-ID`; undefined where it says none, or one that was never given. */
export function lastEventId(header: string | readonly string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** Values of a stream that always begins with the same ones, numbered from 1; those up to `seen` are left out. */
export async function* numbered(values: AsyncIterable<unknown>, seen: number): AsyncIterable<StreamedEvent> {
  let id = 0;
  for await (const value of values) {
    id += 1;
    if (id > seen) yield { id, value };
  }
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
