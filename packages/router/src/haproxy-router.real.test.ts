import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { routeTableDigest } from '@coppice/model';
import { strayProcesses } from './haproxy-process.ts';
import { createHaproxyRouter } from './haproxy-router.ts';
import { routerContract } from './router-contract.ts';
import {
  ask,
  environmentId,
  eventually,
  freePort,
  killRouter,
  startInstance,
  startRouter,
  tableOf,
  temporaryFolder,
  upstreamRoute,
} from './router-fixture.ts';
import { askSocket } from './runtime-socket.ts';

const one = environmentId('one');

routerContract(
  'haproxy router',
  async (context) => {
    const { router, options, port } = await startRouter(context);
    return {
      router,
      kill: () => killRouter(options.directory),
      async reach(host, path) {
        const { status, body, headers } = await ask(port, host, { path });
        if (status === 200) return body;
        if (status === 301) return 'redirect';
        if (status === 404) return 'unknown';
        return headers['retry-after'] === '5' ? 'notice' : 'unavailable';
      },
    };
  },
  startInstance,
);

test('a router object made anew adopts the process that runs', async (context) => {
  const { router, options, port } = await startRouter(context);
  const table = tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'a1')]));
  await router.apply(one, table);
  const before = strayProcesses(options.directory);
  const next = createHaproxyRouter(options);
  assert.deepEqual(await next.current(), new Map([[one, routeTableDigest(table)]]));
  await next.ensureRunning();
  assert.deepEqual(strayProcesses(options.directory), before);
  await next.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'a2')])));
  assert.equal((await ask(port, 'a.localhost')).body, 'a2');
});

test('the worker killed alone comes back with ensureRunning', async (context) => {
  const { router, options, port } = await startRouter(context);
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'a1')])));
  const [, worker] = strayProcesses(options.directory);
  assert.ok(worker !== undefined);
  process.kill(worker, 'SIGKILL');
  await eventually('the worker is gone', () => !strayProcesses(options.directory).includes(worker));
  await router.ensureRunning();
  assert.equal((await ask(port, 'a.localhost')).body, 'a1');
  assert.equal(strayProcesses(options.directory).length, 2);
});

test('what somebody changed in the running HAProxy is seen by current and repaired by apply', async (context) => {
  const { router, options, port } = await startRouter(context);
  const server = await startInstance(context, 'a1');
  const table = tableOf(upstreamRoute('a.localhost', [server]));
  await router.apply(one, table);
  const socket = `${options.directory}/run/worker-1.sock`;
  for (const command of ['clear map maps/routes.map', 'del map maps/digests.map e_one']) {
    await askSocket(socket, command);
    assert.deepEqual(await router.current(), new Map(), command);
    await router.apply(one, table);
    assert.equal((await ask(port, 'a.localhost')).body, 'a1');
    assert.deepEqual(await router.current(), new Map([[one, routeTableDigest(table)]]));
  }
});

test('two routers with folders of their own do not touch each other', async (context) => {
  const left = await startRouter(context);
  const right = await startRouter(context);
  await left.router.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'left')])));
  await right.router.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'right')])));
  await left.router.shutdown();
  assert.deepEqual(strayProcesses(left.options.directory), []);
  assert.equal((await ask(right.port, 'a.localhost')).body, 'right');
});

test('a port that is taken is an error with the reason, and leaves nothing running', async (context) => {
  const first = await startRouter(context);
  const directory = temporaryFolder(context);
  const second = createHaproxyRouter({ ...first.options, directory });
  await assert.rejects(second.ensureRunning(), { code: 'router-failed', message: /cannot bind socket/i });
  await eventually('nothing is left', () => strayProcesses(directory).length === 0);
});

test('HAProxy runs without privileges, in a session of its own, and cannot change its configuration', async (context) => {
  const { options } = await startRouter(context);
  for (const pid of strayProcesses(options.directory)) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.doesNotMatch(status, /^Uid:\t0\t/m);
    const session = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]);
    assert.ok(strayProcesses(options.directory).includes(session));
  }
  assert.equal(statSync(`${options.directory}/haproxy.cfg`).mode & 0o777, 0o640);
  assert.equal(statSync(`${options.directory}/haproxy.cfg`).uid, 0);
});

test('it goes on serving when the process group of its server is killed', async (context) => {
  const directory = temporaryFolder(context);
  const port = await freePort();
  const server = await startInstance(context, 'a1');
  const script = `
    import { createHaproxyRouter } from ${JSON.stringify(import.meta.resolve('./haproxy-router.ts'))};
    const [directory, listen, server] = JSON.parse(process.argv[1]);
    const router = createHaproxyRouter({ directory, listen, domain: 'localhost', log: () => undefined });
    const target = { kind: 'upstream', node: 'web', servers: [server], redirects: [] };
    await router.apply('e_one', { entries: [{ host: 'a.localhost', path: '/', headers: {}, access: undefined, target }] });
    process.stdout.write('applied');
    setInterval(() => undefined, 1000);`;
  const given = JSON.stringify([directory, `127.0.0.1:${port}`, server]);
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, given], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(said.toString('utf8'), 'applied');
  assert.ok(child.pid !== undefined);
  process.kill(-child.pid, 'SIGKILL');
  await once(child, 'exit');
  assert.equal((await ask(port, 'a.localhost')).body, 'a1');
  assert.equal(strayProcesses(directory).length, 2);
});

test('rules cut off before their reload are loaded before their route is served', async (context) => {
  const { router, options, port } = await startRouter(context);
  const server = await startInstance(context, 'a1');
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
  const closed = tableOf(upstreamRoute('a.localhost', [server], { access: { basicAuth: { bob: 'x' }, addresses: [] } }));
  // What a crash leaves between the file and the reload: the file of another router that got so far.
  const other = await startRouter(context);
  await other.router.apply(one, closed);
  copyFileSync(`${other.options.directory}/environments/e_one.json`, `${options.directory}/environments/e_one.json`);
  const next = createHaproxyRouter(options);
  assert.deepEqual(await next.current(), new Map());
  await next.ensureRunning();
  assert.equal((await ask(port, 'a.localhost')).status, 401);
  assert.deepEqual(await next.current(), new Map([[one, routeTableDigest(closed)]]));
});
