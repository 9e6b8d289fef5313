import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ControlPlane } from '@coppice/control';
import type { AttachedProcess, Engine } from '@coppice/engine';
import { CoppiceError } from '@coppice/model';
import { type WebSocket, WebSocketServer } from 'ws';
import { problemOf } from './problem.ts';

/** First byte of each frame: what the rest is. */
const channel = { stdin: 0, stdout: 1, stderr: 2, resize: 3, exit: 4, endOfInput: 5 } as const;

export interface ExecParts {
  readonly control: Pick<ControlPlane, 'execTarget'>;
  readonly engine: Pick<Engine, 'attach'>;
  readonly verify: (token: string) => string | undefined;
}

interface ExecRequest {
  readonly project: string;
  readonly environment: string;
  readonly node: string;
  readonly argv: readonly string[];
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
}

/** Serves `…/environments/:environment/exec` as a WebSocket. Pages cannot open it: a request with an Origin is refused. */
export function addExecUpgrade(server: Server, parts: ExecParts): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 * 1024 });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    begin(request, parts).then(
      (started) => sockets.handleUpgrade(request, socket, head, (webSocket) => connect(webSocket, started)),
      (error: unknown) => refuse(socket, error),
    );
  });
}

async function begin(request: IncomingMessage, parts: ExecParts): Promise<AttachedProcess> {
  if (request.headers.origin !== undefined) throw new CoppiceError('not-allowed', 'not from a web page');
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || parts.verify(token) === undefined) throw new CoppiceError('unauthenticated', 'the token is not valid');
  const { project, environment, node, argv, terminal } = parseRequest(request.url ?? '');
  const { instance } = await parts.control.execTarget(project, { environment, node });
  return await parts.engine.attach(instance, { argv, terminal });
}

function parseRequest(target: string): ExecRequest {
  const url = new URL(target, 'http://localhost');
  const [, project, environment] = /^\/v1\/projects\/([^/]+)\/environments\/([^/]+)\/exec$/.exec(url.pathname) ?? [];
  if (!project || !environment) throw new CoppiceError('not-found', `nothing to upgrade at ${url.pathname}`);
  const columns = Number(url.searchParams.get('columns'));
  const rows = Number(url.searchParams.get('rows'));
  return {
    project: decodeURIComponent(project),
    environment: environment === '-' ? '' : decodeURIComponent(environment),
    node: url.searchParams.get('node') ?? '',
    argv: parseArgv(url.searchParams.get('argv') ?? ''),
    terminal: columns > 0 && rows > 0 ? { columns, rows } : undefined,
  };
}

function parseArgv(text: string): readonly string[] {
  const argv: unknown = safeParse(text);
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every((word) => typeof word === 'string')) {
    throw new CoppiceError('invalid-request', 'argv must be a JSON array of words');
  }
  return argv;
}

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CoppiceError('invalid-request', 'argv is not JSON', { cause: error });
  }
}

function connect(socket: WebSocket, started: AttachedProcess): void {
  const send = (kind: number, data: Uint8Array): void => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([kind]), data]));
  };
  started.stdout.on('data', (data: Buffer) => send(channel.stdout, data));
  if (started.stderr !== started.stdout) started.stderr.on('data', (data: Buffer) => send(channel.stderr, data));
  socket.on('message', (data: Buffer) => receive(data, started));
  socket.on('error', () => socket.terminate());
  socket.on('close', () => started.input.end());
  started.exitCode().then(
    (code) => {
      send(channel.exit, Buffer.from(String(code)));
      socket.close();
    },
    () => socket.close(),
  );
}

function receive(data: Buffer, started: AttachedProcess): void {
  const rest = data.subarray(1);
  if (data[0] === channel.stdin) started.input.write(rest);
  else if (data[0] === channel.endOfInput) started.input.end();
  else if (data[0] === channel.resize) resize(rest.toString(), started);
}

/** A size that cannot be read, or comes after the command ended, changes nothing: it must not end the server. */
function resize(text: string, started: AttachedProcess): void {
  const [, columns, rows] = /^\{"columns":(\d{1,4}),"rows":(\d{1,4})\}$/.exec(text) ?? [];
  if (columns !== undefined && rows !== undefined) void Promise.allSettled([started.resize(Number(columns), Number(rows))]);
}

function refuse(socket: Duplex, error: unknown): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  const head = `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
