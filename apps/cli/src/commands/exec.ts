import { CoppiceError } from '@coppice/model';
import type { Command } from 'commander';
import WebSocket from 'ws';
import { ServerUnreachable } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { environmentPath, type OpenSession } from './open-session.ts';

/** First byte of each frame, see docs/reference/http.md: what the rest is. */
const channel = { stdin: 0, stdout: 1, stderr: 2, resize: 3, exit: 4, endOfInput: 5 } as const;

/** `coppice exec NODE -- CMD…`; ends with the command's own exit code. */
export function addExecCommand(program: Command, open: OpenSession): void {
  program
    .command('exec')
    .argument('<node>')
    .argument('<command...>')
    .description('run a command in a running instance: coppice exec web -- ls')
    .action(async (node: string, argv: readonly string[]) => {
      const session = await open();
      process.exitCode = await runRemotely(session, node, argv);
      process.stdin.destroy();
    });
}

async function runRemotely(session: Session, node: string, argv: readonly string[]): Promise<number> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const query = new URLSearchParams({
    node,
    argv: JSON.stringify(argv),
    ...(terminal ? { columns: String(process.stdout.columns), rows: String(process.stdout.rows) } : {}),
  });
  const url = `${session.api.access.url.replace(/^http/, 'ws')}/v1${environmentPath(session)}/exec?${query}`;
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${session.api.access.token}` } });
  return await new Promise<number>((resolve, reject) => {
    let code: number | undefined;
    socket.on('open', () => attach(socket, terminal));
    socket.on('message', (data: Buffer) => {
      code = receive(data) ?? code;
    });
    socket.on('close', () => {
      if (terminal) process.stdin.setRawMode(false);
      if (code === undefined) reject(new CoppiceError('engine-failed', 'the connection ended before the command did'));
      else resolve(code);
    });
    socket.on('error', (error) => reject(new ServerUnreachable(error.message)));
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => reject(refusal(body, response.statusCode)));
    });
  });
}

function attach(socket: WebSocket, terminal: boolean): void {
  if (terminal) {
    process.stdin.setRawMode(true);
    process.stdout.on('resize', () =>
      socket.send(frame(channel.resize, JSON.stringify({ columns: process.stdout.columns, rows: process.stdout.rows }))),
    );
  }
  process.stdin.on('data', (data) => socket.send(frame(channel.stdin, data)));
  process.stdin.on('end', () => socket.send(frame(channel.endOfInput, '')));
}

/** The exit code where the frame carries it. */
function receive(data: Buffer): number | undefined {
  const rest = data.subarray(1);
  if (data[0] === channel.stdout) process.stdout.write(rest);
  else if (data[0] === channel.stderr) process.stderr.write(rest);
  else if (data[0] === channel.exit) return Number(rest.toString());
  return undefined;
}

function frame(kind: number, data: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([kind]), typeof data === 'string' ? Buffer.from(data) : data]);
}

function refusal(body: string, status: number | undefined): CoppiceError {
  try {
    const problem = JSON.parse(body) as { readonly code?: 'not-found'; readonly detail?: string; readonly hint?: string };
    return new CoppiceError(
      problem.code ?? 'internal',
      problem.detail ?? `the server answered ${status}`,
      problem.hint === undefined ? {} : { hint: problem.hint },
    );
  } catch (error) {
    return new CoppiceError('internal', `the server answered ${status}`, { cause: error });
  }
}
