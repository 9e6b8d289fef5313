import { CoppiceError, isCoppiceError } from '@coppice/model';
import type { LogLine, LogOptions } from '../engine.ts';
import type { DockerConnection } from './docker-connection.ts';
import { DockerStatusError } from './docker-error.ts';
import { outputFrames } from './output-frames.ts';

/** Bytes of a line that are kept. */
export const lineLimitBytes = 64 * 1024;

/** The container's output as lines, oldest first. `not-found` for a container that is gone; called off, it just ends. */
export async function* readLogs(connection: DockerConnection, id: string, options: LogOptions): AsyncGenerator<LogLine> {
  const query: Record<string, string> = { stdout: 'true', stderr: 'true', timestamps: 'true' };
  if (options.follow === true) query['follow'] = 'true';
  if (options.since !== undefined) query['since'] = unixTime(options.since);
  if (options.tail !== undefined) query['tail'] = String(options.tail);
  try {
    const source = await connection.stream({
      method: 'GET',
      path: `/containers/${id}/logs`,
      query,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    try {
      yield* logLines(source);
    } finally {
      source.destroy();
    }
  } catch (error) {
    if (options.signal?.aborted === true || isCoppiceError(error, 'cancelled')) return;
    if (error instanceof DockerStatusError && error.status === 404) {
      throw new CoppiceError('not-found', `there is no instance ${id.slice(0, 12)} any more`, { cause: error });
    }
    throw error;
  }
}

interface PartialLine {
  time: string;
  parts: Buffer[];
  bytes: number;
}

/** Lines of a multiplexed stream whose frames each start with their time; a line over the limit is cut. */
export async function* logLines(source: AsyncIterable<Buffer | string>): AsyncGenerator<LogLine> {
  const open: Record<'stdout' | 'stderr', PartialLine> = {
    stdout: { time: '', parts: [], bytes: 0 },
    stderr: { time: '', parts: [], bytes: 0 },
  };
  for await (const { stream, data } of outputFrames(source)) {
    const space = data.indexOf(0x20);
    const line = open[stream];
    if (line.parts.length === 0) line.time = data.toString('latin1', 0, Math.max(space, 0));
    const text = data.subarray(space + 1);
    const complete = text.at(-1) === 0x0a;
    const kept = text.subarray(0, Math.min(complete ? text.length - 1 : text.length, lineLimitBytes - line.bytes));
    // A copy, since a slice would hold on to the whole chunk it came in.
    line.parts.push(Buffer.from(kept));
    line.bytes += kept.length;
    if (complete) yield finish(line, stream);
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    if (open[stream].parts.length > 0) yield finish(open[stream], stream);
  }
}

function finish(line: PartialLine, stream: LogLine['stream']): LogLine {
  const text = Buffer.concat(line.parts).toString('utf8');
  const time = line.time;
  line.parts = [];
  line.bytes = 0;
  return { time, stream, text };
}

function unixTime(rfc3339: string): string {
  const ms = Date.parse(rfc3339);
  if (Number.isNaN(ms)) throw new CoppiceError('invalid-request', `not a time: "${rfc3339}"`);
  const fraction = /\.(\d{1,9})/.exec(rfc3339)?.[1] ?? '0';
  return `${Math.floor(ms / 1000)}.${fraction.padEnd(9, '0')}`;
}
