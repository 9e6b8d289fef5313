import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { UpstreamServer } from '@coppice/model';
import {
  ask,
  askUpgrade,
  echoUpgrade,
  environmentId,
  eventually,
  eventuallyHeld,
  holdRoute,
  processMemoryKb,
  startInstance,
  startRouter,
  startStoppable,
  tableOf,
  upstreamRoute,
} from './router-fixture.ts';

const one = environmentId('one');
const served = (...servers: readonly UpstreamServer[]) => tableOf(upstreamRoute('a.localhost', servers));
const switching = tableOf(holdRoute('a.localhost', 'switching'));
const suspended = tableOf(holdRoute('a.localhost', 'suspended'));

/** Asks with a body of its own, so that the instance can count. */
async function post(port: number, body: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method: 'POST', agent: false, headers: { host: 'a.localhost' } };
    const request = httpRequest(options, (response) => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** An instance that remembers every body it was sent. */
async function startRecorder(context: TestContext): Promise<{ readonly upstream: UpstreamServer; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const upstream = await startInstance(context, 'recorder', (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      response.end('done');
    });
  });
  return { upstream, bodies };
}

test('200 requests held together are all answered soon after the release, each executed once', async (context) => {
  const under = await startRouter(context);
  const { upstream, bodies } = await startRecorder(context);
  await under.router.apply(one, switching);
  const names = Array.from({ length: 200 }, (_, index) => `request ${index}`);
  const answers = names.map((name) => post(under.port, name));
  await eventuallyHeld(under.router, one, 200);
  assert.deepEqual(bodies, []);
  await under.router.apply(one, served(upstream));
  assert.deepEqual(
    await Promise.all(answers),
    names.map(() => '200'),
  );
  assert.deepEqual(bodies.sort(), names.sort());
});

test('a large body waits at its client while held, not in HAProxy, and arrives whole and once', async (context) => {
  const under = await startRouter(context);
  const arrived: number[] = [];
  const server = await startInstance(context, 'a', (request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      arrived.push(bytes);
      response.end('done');
    });
  });
  await under.router.apply(one, switching);
  const before = processMemoryKb(under.options.directory);
  const size = 64 * 1024 * 1024;
  const socket = connect(under.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.write(`PUT / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
  socket.write(Buffer.alloc(size, 'x'));
  await eventuallyHeld(under.router, one, 1);
  let looks: number[] = [];
  await eventually('the client can send no more', () => {
    looks = [socket.writableLength, ...looks].slice(0, 20);
    return looks.length === 20 && new Set(looks).size === 1;
  });
  assert.ok(socket.writableLength > size / 2, `${socket.writableLength} bytes wait at the client`);
  const grown = processMemoryKb(under.options.directory) - before;
  assert.ok(grown < 16_384, `${grown} KiB more in HAProxy`);
  await under.router.apply(one, served(server));
  await eventually('the answer', () => answer.endsWith('done'));
  assert.deepEqual(arrived, [size]);
});

test('a WebSocket is opened when its route is released', async (context) => {
  const under = await startRouter(context);
  const instance = await startStoppable(context, 'a');
  instance.server.on('upgrade', echoUpgrade);
  await under.router.apply(one, suspended);
  const { socket, received } = askUpgrade(under.port, 'a.localhost');
  context.after(() => socket.destroy());
  await eventuallyHeld(under.router, one, 1);
  assert.equal(received(), '');
  await under.router.apply(one, served(instance.upstream));
  await eventually('the upgrade', () => /^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/.test(received()));
  socket.write('hello');
  await eventually('the echo', () => received().endsWith('echo:hello'));
});

test('past the limits of an environment and of the router a request gets 503 at once, and the held ones stay', async (context) => {
  const under = await startRouter(context, { holdLimits: { perEnvironment: 2, inTotal: 3 } });
  const server = await startInstance(context, 'a');
  const two = environmentId('two');
  await under.router.apply(one, switching);
  await under.router.apply(two, tableOf(holdRoute('b.localhost', 'suspended')));
  const held = [ask(under.port, 'a.localhost'), ask(under.port, 'a.localhost')];
  await eventuallyHeld(under.router, one, 2);
  const refused = async (host: string): Promise<readonly unknown[]> => {
    const { status, headers, body } = await ask(under.port, host, { method: 'POST' });
    return [status, headers['retry-after'], headers['content-type'], body];
  };
  const expected = (why: string): readonly unknown[] => [503, '5', 'text/plain; charset=utf-8', `${why} Try again in a few seconds.\n`];
  assert.deepEqual(await refused('a.localhost'), expected('Too many requests wait for this environment already.'));
  held.push(ask(under.port, 'b.localhost'));
  await eventually('one of the other is held', async () => (await under.router.usage()).get(two)?.held === 1);
  assert.deepEqual(await refused('b.localhost'), expected('Too many requests wait at this server already.'));
  await under.router.apply(one, served(server));
  await under.router.apply(two, tableOf(upstreamRoute('b.localhost', [server])));
  assert.deepEqual(
    (await Promise.all(held)).map(({ status }) => status),
    [200, 200, 200],
  );
});

test('a request that was held too long gets 503 that says so, by the cause it is held for then', async (context) => {
  const under = await startRouter(context, { holdLimits: { switchingMs: 200, suspendedMs: 600 } });
  await under.router.apply(one, switching);
  const late = async (): Promise<readonly unknown[]> => {
    const { status, headers, body } = await ask(under.port, 'a.localhost');
    return [status, headers['retry-after'], body];
  };
  assert.deepEqual(await late(), [503, '5', 'This environment did not become ready in time. Try again in a few seconds.\n']);
  await under.router.apply(one, suspended);
  const started = performance.now();
  assert.deepEqual(await late(), [503, '5', 'This environment did not wake up in time. Try again in a few seconds.\n']);
  assert.ok(performance.now() - started > 550);
  await eventuallyHeld(under.router, one, 0);
});

test('a client that leaves while held is let go, and its request is never executed', async (context) => {
  const under = await startRouter(context, { holdLimits: { perEnvironment: 2 } });
  const { upstream, bodies } = await startRecorder(context);
  await under.router.apply(one, switching);
  const clients = ['', 'x'].map((body) => {
    const headers = { host: 'a.localhost' };
    const request = httpRequest({ host: '127.0.0.1', port: under.port, method: 'POST', agent: false, headers });
    request.on('error', () => undefined).end(body);
    return request;
  });
  await eventuallyHeld(under.router, one, 2);
  for (const client of clients) client.destroy();
  await eventuallyHeld(under.router, one, 0);
  const answer = post(under.port, 'who stayed');
  await eventuallyHeld(under.router, one, 1);
  await under.router.apply(one, served(upstream));
  assert.equal(await answer, '200');
  assert.deepEqual(bodies, ['who stayed']);
});

test('a route with access and headers is held and released without a reload, and they hold for whoever waited', async (context) => {
  const under = await startRouter(context);
  const server = await startInstance(context, 'a');
  const rules = { access: { basicAuth: { bob: 's3cret' }, addresses: [] }, headers: { 'X-Mine': 'yes' } };
  const open = tableOf(upstreamRoute('a.localhost', [server], rules));
  await under.router.apply(one, open);
  const reloads = under.lines.length;
  await under.router.apply(one, tableOf(holdRoute('a.localhost', 'suspended', rules)));
  const authorization = `Basic ${Buffer.from('bob:s3cret').toString('base64')}`;
  const answers = [ask(under.port, 'a.localhost'), ask(under.port, 'a.localhost', { headers: { authorization } })];
  await eventuallyHeld(under.router, one, 2);
  await under.router.apply(one, open);
  assert.deepEqual(
    (await Promise.all(answers)).map(({ status, headers }) => [status, headers['x-mine']]),
    [
      [401, 'yes'],
      [200, 'yes'],
    ],
  );
  assert.equal(under.lines.length, reloads);
});

test('requests that an instance still answers count as open while its route is held', async (context) => {
  const under = await startRouter(context);
  const finish: (() => void)[] = [];
  const server = await startInstance(context, 'old', (_request, response) => void finish.push(() => response.end('old')));
  await under.router.apply(one, served(server));
  const running = ask(under.port, 'a.localhost');
  await eventually('it is running', () => finish.length === 1);
  await under.router.apply(one, switching);
  const waiting = ask(under.port, 'a.localhost');
  await eventuallyHeld(under.router, one, 1);
  assert.equal(await under.router.openRequests('old'), 1);
  assert.equal((await under.router.usage()).get(one)?.open, 1);
  for (const end of finish) end();
  assert.equal((await running).body, 'old');
  await eventually('none is open', async () => (await under.router.openRequests('old')) === 0);
  await under.router.apply(one, served(await startInstance(context, 'new')));
  assert.equal((await waiting).body, 'new');
});
