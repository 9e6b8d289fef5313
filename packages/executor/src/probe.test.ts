import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { CoppiceError, type ProbeSpec } from '@coppice/model';
import { buildNode, observedInstance } from '@coppice/model/builders';
import { probe } from './probe.ts';

const instance = observedInstance(buildNode('web'), 0, { address: '127.0.0.1' });
const engine = { exec: async () => ({ exitCode: 0, stdout: '', stderr: '' }) };

async function listening(server: Server): Promise<{ readonly port: number; close(): void }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function ask(spec: ProbeSpec, timeoutMs = 1_000): Promise<string | undefined> {
  return await probe(engine, instance, spec, timeoutMs);
}

/** What a probe says of a server that treats each connection so. */
async function against(
  onConnection: (socket: Socket) => void,
  specOf: (port: number) => ProbeSpec,
  timeoutMs = 1_000,
): Promise<string | undefined> {
  const sockets = new Set<Socket>();
  const { port, close } = await listening(
    createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      onConnection(socket);
    }),
  );
  const answer = await ask(specOf(port), timeoutMs);
  for (const socket of sockets) socket.destroy();
  close();
  return answer?.replaceAll(String(port), 'PORT');
}

const ping = (port: number): ProbeSpec => ({ kind: 'exchange', port, send: 'PING\r\n', expect: ['+PONG', '-NOAUTH'] });

test('TCP is ready when a connection is accepted', async () => {
  assert.equal(
    await against(
      () => undefined,
      (port) => ({ kind: 'tcp', port }),
    ),
    undefined,
  );
});

test('TCP that is refused says so', async () => {
  const { port, close } = await listening(createTcpServer());
  close();
  assert.equal(await ask({ kind: 'tcp', port }), `port ${port}: ECONNREFUSED`);
});

for (const [status, wrong] of [
  [200, undefined],
  [302, undefined],
  [404, 'GET /up answered 404'],
  [503, 'GET /up answered 503'],
] as const) {
  test(`HTTP ${status} is ${wrong === undefined ? '' : 'not '}ready`, async () => {
    const { port, close } = await listening(createServer((_, response) => response.writeHead(status).end('body')));
    assert.equal(await ask({ kind: 'http', port, path: '/up' }), wrong);
    close();
  });
}

test('HTTP without an answer is not ready when its time is over', async () => {
  assert.equal(
    await against(
      () => undefined,
      (port) => ({ kind: 'http', port, path: '/' }),
      50,
    ),
    'GET /: no answer within 50 ms',
  );
});

test('an exchange is ready when the answer starts as expected, also in pieces', async () => {
  const inPieces = (socket: Socket): void => {
    socket.once('data', () => {
      socket.write('+PO');
      setImmediate(() => socket.write('NG\r\n'));
    });
  };
  assert.equal(await against(inPieces, ping), undefined);
});

test('an exchange with another answer says which', async () => {
  assert.equal(await against((socket) => socket.end('-LOADING data\r\n'), ping), 'port PORT answered "-LOADING data\\r\\n"');
});

test('an exchange that is closed or silent is not ready', async () => {
  assert.equal(await against((socket) => socket.end(), ping), 'port PORT closed the connection');
  assert.equal(await against(() => undefined, ping, 50), 'port PORT did not answer within 50 ms');
});

test('a command is ready with exit code 0; its failure says what it printed', async () => {
  const command: ProbeSpec = { kind: 'command', argv: ['pg_isready'] };
  assert.equal(await ask(command), undefined);
  const failing = { exec: async () => ({ exitCode: 2, stdout: 'no response\n', stderr: '' }) };
  assert.equal(await probe(failing, instance, command, 100), 'pg_isready ended with 2: no response');
  const gone = { exec: () => Promise.reject(new CoppiceError('engine-failed', 'container x is not running')) };
  assert.equal(await probe(gone, instance, command, 100), 'container x is not running');
});

test('alive is ready once it has run for long enough', async () => {
  const alive: ProbeSpec = { kind: 'alive', forMs: 2_000 };
  const since = (ageMs: number): string => new Date(Date.now() - ageMs).toISOString();
  assert.equal(await probe(engine, { ...instance, startedAt: since(10_000) }, alive, 100), undefined);
  assert.equal(await probe(engine, { ...instance, startedAt: since(100) }, alive, 100), 'it has not run for 2000 ms yet');
});

test('an instance that does not run is not asked', async () => {
  assert.equal(await probe(engine, { ...instance, state: 'exited' }, { kind: 'tcp', port: 1 }, 100), 'it does not run');
});
