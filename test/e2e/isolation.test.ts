import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import { tinyApp } from './harness/tiny-app.ts';
import { type Clone, TestServer } from './harness.ts';

const yaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    relationships: [cache, back]
  back:
    type: nodejs:24
    start: node server.mjs
  aside:
    type: nodejs:24
    start: node server.mjs
services:
  cache: redis:7
routes:
  "http://{default}/": { type: upstream, upstream: "web:http" }
`;

let server: TestServer;
before(async () => {
  server = await TestServer.start();
  const one: Clone = await server.project('one');
  await one.deploy(tinyApp({ yaml }));
  await one.git('push', '--quiet', 'origin', 'HEAD:refs/heads/other');
});
after(async () => {
  await server.stop();
});

interface Place {
  readonly environment: string;
  readonly node: string;
}

/** Address of the container of a node, and of its bridge on the host. */
async function addressOf({ environment, node }: Place): Promise<{ readonly address: string; readonly gateway: string }> {
  const names = new Map<string, string>();
  for (const name of ['main', 'other']) {
    const { nodes } = await server.read<{ readonly nodes: readonly { readonly instances: readonly { readonly id: string }[] }[] }>(
      'env',
      'show',
      name,
      '--project',
      'one',
    );
    for (const { instances } of nodes) for (const { id } of instances) names.set(id, name);
  }
  const found = (await server.containers()).find(
    ({ Id, Config }) => names.get(Id) === environment && Config.Labels['coppice.node'] === node,
  );
  const [network] = Object.values(found?.NetworkSettings.Networks ?? {});
  assert.ok(network, `${node} of ${environment} has no address`);
  return { address: network.IPAddress, gateway: network.Gateway };
}

/** Tries TCP connections from a node of `main`, all at once: `open`, or why not. */
async function connect(node: string, targets: readonly string[]): Promise<Readonly<Record<string, boolean>>> {
  const script = `
    const net = require('node:net');
    const targets = ${JSON.stringify(targets)};
    Promise.all(targets.map((target) => new Promise((resolve) => {
      const at = target.lastIndexOf(':');
      const socket = net.connect({ host: target.slice(0, at), port: Number(target.slice(at + 1)), timeout: 2500 });
      const end = (open) => { socket.destroy(); resolve([target, open]); };
      socket.on('connect', () => end(true)).on('error', () => end(false)).on('timeout', () => end(false));
    }))).then((all) => console.log(JSON.stringify(Object.fromEntries(all))));
  `;
  const result = await server.cliWith(
    { variables: { COPPICE_PROJECT: 'one', COPPICE_ENV: 'main' } },
    'exec',
    node,
    '--',
    'node',
    '-e',
    script,
  );
  assert.equal(result.code, 0, result.stderr);
  return result.json<Record<string, boolean>>();
}

function all(targets: readonly string[], open: boolean): Readonly<Record<string, boolean>> {
  return Object.fromEntries(targets.map((target) => [target, open]));
}

test('an application reaches what it has a relationship to, by its name', async () => {
  const targets = ['cache.internal:6379', 'back.internal:8080', 'back.internal:80'];
  const found = await connect('web', targets);
  assert.equal(found['cache.internal:6379'], true);
  const { stdout } = await server.cliWith(
    { variables: { COPPICE_PROJECT: 'one' } },
    'exec',
    'web',
    '--',
    'node',
    '-e',
    'fetch(process.env.BACK_URL).then((r) => r.text()).then(console.log)',
  );
  assert.equal(stdout.trim(), 'one');
});

test('a node without a relationship reaches nothing of its own environment', async () => {
  const [cache, back, web] = await Promise.all(['cache', 'back', 'web'].map((node) => addressOf({ environment: 'main', node })));
  const targets = [`${cache?.address}:6379`, `${back?.address}:8080`, `${web?.address}:8080`, 'cache.internal:6379'];
  assert.deepEqual(await connect('aside', targets), all(targets, false));
  const backwards = [`${web?.address}:8080`, `${cache?.address}:6379`];
  assert.deepEqual(await connect('back', backwards), all(backwards, false));
});

test('no node reaches another environment, neither its containers nor its stable addresses', async () => {
  const other = await Promise.all(['cache', 'web', 'back'].map((node) => addressOf({ environment: 'other', node })));
  const targets = other.flatMap(({ address }) => [`${address}:6379`, `${address}:8080`, `${address}:80`]);
  const block = (other[0]?.address ?? '').split('.').slice(0, 3).join('.');
  const stable = Array.from({ length: 20 }, (_, index) => `${block}.${index + 1}:6379`);
  for (const node of ['web', 'aside']) assert.deepEqual(await connect(node, [...targets, ...stable]), all([...targets, ...stable], false));
});

test('no node reaches the host: its API, git, router, engine and ssh, by any of its addresses', async () => {
  const { gateway } = await addressOf({ environment: 'main', node: 'web' });
  const { gateway: foreign } = await addressOf({ environment: 'other', node: 'web' });
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  const hosts = [...new Set([gateway, foreign, ...own, '127.0.0.1', '169.254.169.254'])].slice(0, 12);
  const ports = [server.apiAddress, server.routerAddress].map((address) => address.split(':')[1]);
  const targets = hosts.flatMap((host) => [...ports, '2375', '22'].map((port) => `${host}:${port}`));
  assert.deepEqual(await connect('web', targets), all(targets, false));
});

/** Whether a service can open a TCP connection. */
async function serviceReaches(host: string, port: string): Promise<boolean> {
  const script = `exec 3<>/dev/tcp/${host}/${port}`;
  const argv = ['timeout', '2', 'bash', '-c', script];
  return (await server.cliWith({ variables: { COPPICE_PROJECT: 'one' } }, 'exec', 'cache', '--', ...argv)).code === 0;
}

test('a service has no way out, not even to its own dependants', async () => {
  const { address: web } = await addressOf({ environment: 'main', node: 'web' });
  const { gateway } = await addressOf({ environment: 'main', node: 'cache' });
  assert.equal(await serviceReaches('127.0.0.1', '6379'), true);
  const targets = [
    [web, '8080'],
    [gateway, server.apiAddress.split(':')[1] ?? ''],
    ['1.1.1.1', '443'],
    ['10.255.255.1', '80'],
  ] as const;
  for (const [host, port] of targets) assert.equal(await serviceReaches(host, port), false, `${host}:${port}`);
});

test('an instance sees no IPv6, no process of others and no socket of the engine', async () => {
  const script = 'ls /proc | grep -c "^[0-9]"; cat /proc/net/if_inet6; ls /run /var/run';
  const { stdout } = await server.cliWith({ variables: { COPPICE_PROJECT: 'one' } }, 'exec', 'web', '--', 'sh', '-c', script);
  const [processes, ...rest] = stdout.trim().split('\n');
  assert.ok(Number(processes) < 8, processes);
  assert.ok(!rest.some((line) => /docker|fe80|coppice/.test(line)), stdout);
});
