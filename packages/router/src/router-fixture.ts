import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { EnvironmentId, RouteEntry, RouteTable, UpstreamServer } from '@coppice/model';
import type { HaproxyRouterOptions } from './haproxy-options.ts';
import { endProcesses, strayProcesses } from './haproxy-process.ts';
import { createHaproxyRouter } from './haproxy-router.ts';
import type { Router } from './router.ts';

/** Values for tests of the router: each states only what differs. */
export function environmentId(name: string): EnvironmentId {
  return `e_${name}` as EnvironmentId;
}

export function upstreamRoute(host: string, servers: readonly UpstreamServer[], rest: Partial<RouteEntry> = {}): RouteEntry {
  return { host, path: '/', headers: {}, access: undefined, target: { kind: 'upstream', node: 'web', servers, redirects: [] }, ...rest };
}

export function redirectRoute(host: string, to: string, rest: Partial<RouteEntry> = {}): RouteEntry {
  return upstreamRoute(host, [], { target: { kind: 'redirect', to, code: 301 }, ...rest });
}

export function holdRoute(host: string, cause: 'switching' | 'suspended', rest: Partial<RouteEntry> = {}): RouteEntry {
  return upstreamRoute(host, [], { target: { kind: 'hold', cause }, ...rest });
}

export function tableOf(...entries: readonly RouteEntry[]): RouteTable {
  return { entries };
}

/** A port of the loopback that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: TcpServer | Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return address.port;
}

/** An instance that answers with its id unless told otherwise; gone after the test. */
export async function startInstance(context: TestContext, id: string, handle?: RequestListener): Promise<UpstreamServer> {
  return (await startStoppable(context, id, handle)).upstream;
}

/** The same, and a way to stop it as an engine does: at once, with every connection it has. */
export async function startStoppable(context: TestContext, id: string, handle?: RequestListener): Promise<StoppableInstance> {
  const server = createServer({ keepAliveTimeout: 60_000 }, handle ?? ((_request, response) => response.end(id)));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  const port = await listen(server);
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  context.after(stop);
  return { upstream: { id, address: '127.0.0.1', port }, server, stop };
}

export interface StoppableInstance {
  readonly upstream: UpstreamServer;
  readonly server: Server;
  stop(): Promise<void>;
}

/** An empty folder that is gone after the test, with the HAProxy that works in it. */
export function temporaryFolder(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-router-'));
  context.after(async () => {
    await endProcesses(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

export interface TestRouter {
  readonly router: Router;
  readonly options: HaproxyRouterOptions;
  readonly port: number;
  readonly lines: string[];
}

/** A real router in a folder of its own, started; ended after the test. */
export async function startRouter(context: TestContext, rest: Partial<HaproxyRouterOptions> = {}): Promise<TestRouter> {
  const port = await freePort();
  const lines: string[] = [];
  const options = {
    directory: temporaryFolder(context),
    listen: `127.0.0.1:${port}`,
    domain: 'localhost',
    slots: 8,
    log: (line: string) => void lines.push(line),
    ...rest,
  };
  const router = createHaproxyRouter(options);
  await router.ensureRunning();
  return { router, options, port, lines };
}

/** Ends the HAProxy of a folder as SIGKILL does. */
export async function killRouter(directory: string): Promise<void> {
  for (const pid of strayProcesses(directory)) process.kill(pid, 'SIGKILL');
  await eventually('HAProxy is gone', () => strayProcesses(directory).length === 0);
}

/** Resident memory of the processes of a folder. */
export function processMemoryKb(directory: string): number {
  const resident = strayProcesses(directory).map((pid) =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  );
  return resident.reduce((sum, kb) => sum + kb, 0);
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request on a connection of its own. */
export async function ask(
  port: number,
  host: string,
  { path = '/', method = 'GET', headers = {} }: { path?: string; method?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<TestAnswer> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, agent: false, headers: { host, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

/** What comes back for exactly these bytes, until the other side closes or nothing comes for 300 ms after the first byte. */
export async function exchangeBytes(port: number, bytes: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const finish = (): void => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.setTimeout(300, finish);
    });
    socket.on('end', finish);
    socket.on('error', reject);
    socket.setTimeout(15_000, finish);
  });
}

/** Answers an upgrade to a WebSocket, and every byte after it with `echo:` and itself. */
export function echoUpgrade(request: IncomingMessage, socket: Socket): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n`,
  );
  socket.on('data', (chunk: Buffer) => socket.write(`echo:${chunk.toString('utf8')}`));
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
}

/** Asks for an upgrade to a WebSocket; `received` is all that came back so far. */
export function askUpgrade(port: number, host: string): { readonly socket: Socket; readonly received: () => string } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  return { socket, received: () => text };
}

/** Resolves when the condition holds; throws when it does not within the deadline. */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(10);
  }
}

/** Resolves when as many requests of the environment wait at holds. */
export async function eventuallyHeld(router: Router, environment: EnvironmentId, count: number): Promise<void> {
  await eventually(`${count} are held`, async () => (await router.usage()).get(environment)?.held === count);
}
