import assert from 'node:assert/strict';
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { strayProcesses } from './haproxy-process.ts';
import {
  askUpgrade,
  echoUpgrade,
  environmentId,
  eventually,
  startInstance,
  startRouter,
  startStoppable,
  tableOf,
  upstreamRoute,
} from './router-fixture.ts';

const one = environmentId('one');

interface Load {
  readonly answered: () => number;
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Clients that ask one after the other on connections kept alive, every third time with a body. */
function startLoad(context: TestContext, { port, host, clients }: { port: number; host: string; clients: number }): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failures: string[] = [];
  let answered = 0;
  let running = true;
  const client = async (): Promise<void> => {
    for (let turn = 0; running; turn += 1) {
      const outcome = await askOnce({ agent, port, host, method: turn % 3 === 0 ? 'POST' : 'GET' });
      if (outcome === '200') answered += 1;
      else failures.push(outcome);
    }
  };
  const done = Promise.all(Array.from({ length: clients }, client));
  const stop = async (): Promise<void> => {
    running = false;
    await done;
    agent.destroy();
  };
  context.after(stop);
  return { answered: () => answered, failures, stop };
}

async function askOnce(options: { agent: Agent; port: number; host: string; method: 'GET' | 'POST' }): Promise<string> {
  const { agent, port, host, method } = options;
  return await new Promise((resolve) => {
    const request = httpRequest({ agent, host: '127.0.0.1', port, method, headers: { host } }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.statusCode)));
      response.on('error', (error) => resolve(`answer: ${error.message}`));
    });
    request.on('error', (error) => resolve(`request: ${error.message}`));
    request.end(method === 'POST' ? 'x'.repeat(2000) : undefined);
  });
}

test('no request is lost in 60 swaps under load, each old instance stopped as soon as it has no open request', async (context) => {
  const { router, port } = await startRouter(context);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume().on('end', () => setTimeout(() => response.end('ok'), 2));
  };
  let serving = await startStoppable(context, 'i0', handle);
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [serving.upstream])));
  const load = startLoad(context, { port, host: 'a.localhost', clients: 12 });
  for (let swap = 1; swap <= 60; swap += 1) {
    const next = await startStoppable(context, `i${swap}`, handle);
    const seen = load.answered();
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [next.upstream])));
    const old = serving;
    serving = next;
    await eventually('the old instance is idle', async () => (await router.openRequests(old.upstream.id)) === 0);
    await old.stop();
    await eventually('requests go on', () => load.answered() > seen + 12 || load.failures.length > 0);
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.ok(load.answered() > 700);
});

test('no request is lost when the pool is enlarged under load, also on connections that were idle', async (context) => {
  const { router, port, lines } = await startRouter(context, { slots: 2 });
  let serving = await startStoppable(context, 'first');
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [serving.upstream])));
  const idle = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => idle.destroy());
  assert.equal(await askOnce({ agent: idle, port, host: 'a.localhost', method: 'GET' }), '200');
  const load = startLoad(context, { port, host: 'a.localhost', clients: 12 });
  const other = await startInstance(context, 'other');
  for (let count = 0; count < 12; count += 1) {
    await router.apply(environmentId(`n${count}`), tableOf(upstreamRoute(`n${count}.localhost`, [other])));
    const next = await startStoppable(context, `i${count}`);
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [next.upstream])));
    const old = serving;
    serving = next;
    await eventually('the old instance is idle', async () => (await router.openRequests(old.upstream.id)) === 0);
    await old.stop();
  }
  assert.equal(await askOnce({ agent: idle, port, host: 'a.localhost', method: 'POST' }), '200');
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.equal(lines.filter((line) => line.includes('reloaded')).length, 3);
});

test('a refused connection goes to another instance', async (context) => {
  const { router, port } = await startRouter(context);
  const gone = await startStoppable(context, 'gone');
  const servers = [gone.upstream, await startInstance(context, 'there')];
  await gone.stop();
  await router.apply(one, tableOf(upstreamRoute('a.localhost', servers)));
  const agent = new Agent({ keepAlive: true });
  context.after(() => agent.destroy());
  const outcomes = new Set<string>();
  for (let turn = 0; turn < 10; turn += 1)
    outcomes.add(await askOnce({ agent, port, host: 'a.localhost', method: turn % 2 ? 'GET' : 'POST' }));
  assert.deepEqual(outcomes, new Set(['200']));
});

test('WebSockets and event streams stay on their instance through swaps and reloads, and count as open until they end', async (context) => {
  const { router, options, port } = await startRouter(context, { slots: 2 });
  let emit = (_text: string): void => undefined;
  const old = await startStoppable(context, 'old', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    emit = (text) => void response.write(`data: ${text}\n\n`);
  });
  old.server.on('upgrade', echoUpgrade);
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [old.upstream])));
  const { socket, received } = askUpgrade(port, 'a.localhost');
  await eventually('the upgrade', () => received().includes('\r\n\r\n'));
  assert.match(received(), /^HTTP\/1\.1 101 /);
  let events = '';
  const stream = httpRequest({ host: '127.0.0.1', port, agent: false, headers: { host: 'a.localhost' } }, (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => {
      events += chunk;
    });
    response.on('error', () => undefined);
  });
  stream.on('error', () => undefined).end();
  await eventually('the stream is open', async () => (await router.openRequests('old')) === 2);

  await router.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'new')])));
  for (const name of ['x', 'y', 'z']) await router.apply(environmentId(name), tableOf(upstreamRoute(`${name}.localhost`, [])));
  assert.equal(await router.openRequests('old'), 2);
  socket.write('hello');
  await eventually('the echo', () => received().endsWith('echo:hello'));
  emit('one');
  await eventually('the event, without buffering', () => events === 'data: one\n\n');
  stream.destroy();
  await eventually('one is left', async () => (await router.openRequests('old')) === 1);
  socket.destroy();
  await eventually('none is left', async () => (await router.openRequests('old')) === 0);
  await eventually('the old workers have ended', () => strayProcesses(options.directory).length === 2);
});

test('a body of 256 MiB is streamed in both directions', async (context) => {
  const { router, port } = await startRouter(context);
  const server = await startInstance(context, 'a', (request, response) => request.pipe(response));
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
  const block = Buffer.alloc(1024 * 1024, 'x');
  const blocks = 256;
  const received = await new Promise<number>((resolve, reject) => {
    let bytes = 0;
    const request = httpRequest({ host: '127.0.0.1', port, method: 'PUT', agent: false, headers: { host: 'a.localhost' } }, (response) => {
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve(bytes));
      response.on('error', reject);
    });
    request.on('error', reject);
    let sent = 0;
    const send = (): void => {
      while (sent < blocks) {
        sent += 1;
        if (!request.write(block)) {
          request.once('drain', send);
          return;
        }
      }
      request.end();
    };
    send();
  });
  assert.equal(received, blocks * block.length);
});
