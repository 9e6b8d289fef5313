import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { exitCodeOf, type Log } from './git-host.ts';
import { IdleTimer } from './idle-timer.ts';
import { requestBody } from './request-body.ts';

/** One request that git answers: its body to the child's input, the child's output to the answer, both with back-pressure. */
export interface GitExchange {
  readonly child: ChildProcess;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly contentType: string;
  /** Written before git's own words. */
  readonly preamble?: Buffer;
  /** After decompression. */
  readonly maxBodyBytes: number;
  /** How long the client may be silent when it is its turn. There is no limit on the whole. */
  readonly idleMs: number;
  /** Called once when the client is gone, silent for too long, or sent what cannot be read. */
  readonly onLost: (why: string) => void;
  readonly log: Log;
}

const maxStderrBytes = 16 * 1024;

/** Resolves when the child has ended and its answer is sent, or the client is gone. */
export async function exchange(options: GitExchange): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  const { child, request, response } = options;
  const exited = exitCodeOf(child);
  let lost = false;
  const lose = (why: string): void => {
    if (lost || response.writableFinished) return;
    lost = true;
    request.destroy();
    options.onLost(why);
  };
  const idle = new IdleTimer(options.idleMs, () => lose('the client was silent for too long'));
  response.once('close', () => lose('the client went away'));
  try {
    const input = idle.during(sendBody(options, idle)).catch((error: unknown) => lose(`the request could not be read: ${String(error)}`));
    const [stderr] = await Promise.all([readWords(child), sendAnswer(options, idle)]);
    const exitCode = await exited;
    finish(options, { exitCode, stderr });
    // what git did not want to read is still read, or the client would not get to the answer
    await input;
    return { exitCode, stderr };
  } finally {
    idle.stop();
  }
}

async function sendBody({ child, request, maxBodyBytes }: GitExchange, idle: IdleTimer): Promise<void> {
  const stdin = child.stdin;
  for await (const chunk of requestBody(request, maxBodyBytes)) {
    idle.touch();
    if (stdin && !stdin.destroyed && !stdin.write(chunk)) await drained(stdin);
  }
  stdin?.end();
}

async function sendAnswer(options: GitExchange, idle: IdleTimer): Promise<void> {
  const { child, response } = options;
  for await (const chunk of child.stdout ?? []) {
    // the child must be able to finish what it does also when nobody listens any more
    if (response.destroyed) continue;
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': options.contentType, 'cache-control': 'no-cache, max-age=0, must-revalidate' });
      if (options.preamble) response.write(options.preamble);
    }
    if (!response.write(chunk)) await idle.during(drained(response));
  }
}

function finish({ child, response, log }: GitExchange, end: { readonly exitCode: number; readonly stderr: string }): void {
  if (end.exitCode !== 0 && end.stderr !== '')
    log('git-said', { exitCode: end.exitCode, stderr: end.stderr, args: child.spawnargs.slice(-3) });
  if (response.destroyed) return;
  if (!response.headersSent) {
    response.writeHead(end.exitCode === 0 ? 200 : 500, { 'content-type': 'text/plain; charset=utf-8' });
    response.write(end.exitCode === 0 ? '' : 'git failed on the server; its log says why\n');
  }
  response.end();
}

async function readWords(child: ChildProcess): Promise<string> {
  let words = '';
  for await (const chunk of child.stderr ?? []) if (words.length < maxStderrBytes) words += `${chunk}`;
  return words.trim();
}

/** Resolves when the stream takes more, or is gone. */
async function drained(stream: Writable): Promise<void> {
  if (stream.destroyed || !stream.writableNeedDrain) return;
  const stop = new AbortController();
  try {
    await Promise.race([once(stream, 'drain', { signal: stop.signal }), once(stream, 'close', { signal: stop.signal })]);
  } finally {
    stop.abort();
  }
}
