import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { EnvironmentId, ImagePin, NetworkPolicy, ObservedInstance } from '@coppice/model';
import { createDockerEngine } from '../docker/docker-engine.ts';
import type { EnvironmentNetwork } from '../engine.ts';
import { digest, environment, generationSpec, jobSpec, node } from '../testing/specs.ts';
import { tinyImage } from '../testing/tiny-image.ts';

const serverId = `net${process.pid}`;
const engine = createDockerEngine({
  serverId,
  dockerHost: process.env['DOCKER_HOST'],
  registry: { address: () => '127.0.0.1:1', token: '' },
  stateDirectory: '/tmp/coppice-test-state',
});
const shop = environment('e_shop');
const other = environment('e_other');
const serve = (text: string): readonly string[] => [
  '/bin/sh',
  '-c',
  `nc -ll -p 7001 -e /bin/echo ${text} & nc -ll -p 7000 -e /bin/echo ${text}`,
];
const instances: Record<'web' | 'listed' | 'worker' | 'db' | 'db2' | 'stranger', ObservedInstance> = Object.create(null);
let image: ImagePin;
let network: EnvironmentNetwork;
let hostServer: Server;
let hostPort: number;

function stable(offset: number): string {
  return network.addressBlock.replace('.0/24', `.${offset}`);
}

function policy(
  change: { readonly serving?: readonly string[]; readonly egress?: NetworkPolicy['nodes'][number]['egress'] } = {},
): NetworkPolicy {
  const of = (name: string, offset: number, egress: NetworkPolicy['nodes'][number]['egress'], serving: readonly string[]) => ({
    node: node(name),
    address: stable(offset),
    instances: Object.entries(instances)
      .filter(([key]) => key.replace(/\d$/, '') === name)
      .map(([, instance]) => instance.address ?? ''),
    serving,
    egress,
  });
  const listed = change.egress ?? [{ protocol: 'tcp' as const, hosts: ['198.51.100.0/24'], ports: [443] }];
  return {
    nodes: [of('db', 2, 'none', change.serving ?? []), of('listed', 5, listed, []), of('web', 3, 'open', []), of('worker', 4, 'none', [])],
    edges: [{ from: node('web'), to: node('db'), port: 7000 }],
  };
}

async function start(owner: EnvironmentId, name: string, argv: readonly string[]): Promise<ObservedInstance> {
  const nodeName = node(name.replace(/\d$/, ''));
  const spec = generationSpec(image, { environment: owner, node: nodeName, digest: digest(name), argv });
  const [instance] = (await engine.startGeneration(spec)).instances;
  assert.ok(instance !== undefined);
  return instance;
}

before(async () => {
  image = await tinyImage();
  hostServer = createServer((socket) => socket.end('host\n')).listen(0, '0.0.0.0');
  await new Promise((resolve) => hostServer.once('listening', resolve));
  const bound = hostServer.address();
  hostPort = typeof bound === 'object' && bound !== null ? bound.port : 0;
  [network] = await Promise.all([engine.ensureNetwork(shop), engine.ensureNetwork(other)]);
  await engine.applyPolicy(shop, policy());
  const idle = ['/bin/sleep', '1000'];
  const started = await Promise.all([
    start(shop, 'web', idle),
    start(shop, 'worker', serve('worker')),
    start(shop, 'listed', idle),
    start(shop, 'db', serve('db')),
    start(shop, 'db2', serve('db2')),
    start(other, 'stranger', serve('stranger')),
  ]);
  for (const [index, name] of (['web', 'worker', 'listed', 'db', 'db2', 'stranger'] as const).entries()) {
    const instance = started[index];
    if (instance !== undefined) instances[name] = instance;
  }
  await engine.applyPolicy(shop, policy({ serving: [instances.db.address ?? ''] }));
});

after(async () => {
  hostServer.close();
  await engine.removeServer();
  engine.close();
});

/** What the other side says, or `refused` (at once) or `silence`. */
async function connect(from: ObservedInstance, address: string, port: number): Promise<string> {
  const begin = performance.now();
  const result = await engine.exec(from.id, { argv: ['/bin/nc', '-w', '2', address, String(port)], timeoutMs: 10_000 });
  if (result.exitCode === 0) return result.stdout.trim();
  return performance.now() - begin < 1500 ? 'refused' : 'silence';
}

test('a relationship leads through the stable address, on its port only', async () => {
  assert.deepEqual(
    {
      stable: await connect(instances.web, stable(2), 7000),
      direct: await connect(instances.web, instances.db.address ?? '', 7000),
      otherPort: await connect(instances.web, stable(2), 7001),
      backwards: await connect(instances.db, instances.web.address ?? '', 7000),
      nobodyServes: await connect(instances.web, stable(4), 7000),
      unused: await connect(instances.web, stable(200), 7000),
    },
    { stable: 'db', direct: 'db', otherPort: 'refused', backwards: 'refused', nobodyServes: 'refused', unused: 'refused' },
  );
});

test('a node reaches neither a node it has no relationship to nor another environment', async () => {
  assert.deepEqual(
    {
      unrelated: await connect(instances.worker, instances.db.address ?? '', 7000),
      unrelatedStable: await connect(instances.worker, stable(2), 7000),
      otherEnvironment: await connect(instances.web, instances.stranger.address ?? '', 7000),
      intoThisOne: await connect(instances.stranger, instances.db.address ?? '', 7000),
    },
    { unrelated: 'refused', unrelatedStable: 'refused', otherEnvironment: 'refused', intoThisOne: 'silence' },
  );
});

test('the host is out of reach on all its addresses', async () => {
  const gateway = network.subnet.replace('.0/24', '.1');
  // Bridges of other servers come and go while this runs; their addresses are the host's for the same reason as our own bridge's.
  const hostAddresses = Object.entries(networkInterfaces())
    .flatMap(([name, addresses]) => (addresses ?? []).map((address) => ({ name, ...address })))
    .filter((address) => address.family === 'IPv4' && !address.internal)
    .filter(({ name, address }) => !name.startsWith('cop') || address === gateway)
    .map(({ address }) => address);
  assert.ok(hostAddresses.includes(gateway));
  const answers = await Promise.all(
    [instances.web, instances.worker].flatMap((from) => hostAddresses.map((address) => connect(from, address, hostPort))),
  );
  assert.deepEqual([...new Set(answers)], ['refused']);
});

test('the engine is out of reach: no socket inside, no way to cloud metadata', async () => {
  const listing = await engine.exec(instances.web.id, { argv: ['/bin/ls', '/var/run/docker.sock', '/run/docker.sock'], timeoutMs: 5000 });
  assert.notEqual(listing.exitCode, 0);
  assert.equal(await connect(instances.web, '169.254.169.254', 80), 'refused');
});

test('only a node with open egress reaches the outside', async (context) => {
  const registry = new URL(execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim());
  const { address } = await lookup(registry.hostname, { family: 4 });
  const port = Number(registry.port || (registry.protocol === 'http:' ? 80 : 443));
  const reach = (from: ObservedInstance) =>
    engine.exec(from.id, { argv: ['/bin/sh', '-c', `nc -w 5 ${address} ${port} < /dev/null`], timeoutMs: 10_000 });
  const [open, closed, listed] = await Promise.all([reach(instances.web), reach(instances.worker), reach(instances.listed)]);
  context.diagnostic(`registry reached: ${open.exitCode}`);
  assert.deepEqual([open.exitCode, closed.exitCode === 0, listed.exitCode === 0], [0, false, false]);
  const db = instances.db.address ?? '';
  await engine.applyPolicy(shop, policy({ serving: [db], egress: [{ protocol: 'tcp', hosts: [registry.hostname], ports: [port] }] }));
  assert.equal((await reach(instances.listed)).exitCode, 0);
  await engine.applyPolicy(shop, policy({ serving: [db] }));
  assert.notEqual((await reach(instances.listed)).exitCode, 0);
});

test('moving the stable address from one instance to another loses no request', async () => {
  const script = `i=0; while test $i -lt 150; do nc -w 2 ${stable(2)} 7000 || echo lost; i=$((i+1)); done`;
  const running = engine.exec(instances.web.id, { argv: ['/bin/sh', '-c', script], timeoutMs: 60_000 });
  let over = false;
  void running.finally(() => {
    over = true;
  });
  let moves = 0;
  while (!over) {
    moves += 1;
    const to = moves % 2 === 0 ? instances.db : instances.db2;
    await engine.applyPolicy(shop, policy({ serving: [to.address ?? ''] }));
  }
  const answers = (await running).stdout.trim().split('\n');
  assert.ok(moves > 3);
  assert.deepEqual([answers.length, [...new Set(answers)].sort()], [150, ['db', 'db2']]);
});

test('an instance and a job may use their relationships in their first instant', async () => {
  const argv = ['/bin/nc', '-w', '2', stable(2), '7000'];
  const job = await engine.startJob(jobSpec(image, { environment: shop, argv }));
  const ended = await engine.waitJob(job);
  assert.equal(ended.exitCode, 0);
  await engine.removeJob(shop, job);
});

test('the rules outlive the engine, and a network that is ensured again keeps them', async () => {
  const again = createDockerEngine({
    serverId,
    dockerHost: process.env['DOCKER_HOST'],
    registry: { address: () => '127.0.0.1:1', token: '' },
    stateDirectory: '/tmp/coppice-test-state',
  });
  assert.deepEqual(await again.ensureNetwork(shop), network);
  again.close();
  assert.match(await connect(instances.web, stable(2), 7000), /^db2?$/);
  assert.equal(await connect(instances.worker, stable(2), 7000), 'refused');
});

test('removing a network removes its rules, also twice', async () => {
  const gone = environment('e_gone');
  await engine.ensureNetwork(gone);
  const chains = (): number =>
    execFileSync('nft', ['list', 'table', 'inet', `coppice_${serverId}`], { encoding: 'utf8' }).split('chain from_').length;
  const before = chains();
  await engine.removeNetwork(gone);
  await engine.removeNetwork(gone);
  assert.equal(chains(), before - 1);
});

test('rules that somebody changed are hinted at, and seen until they are put back', async () => {
  const wanted = policy();
  await engine.applyPolicy(shop, wanted);
  assert.equal((await engine.inspect(shop)).rules, undefined);
  const stop = new AbortController();
  const hinted = (async () => {
    for await (const id of engine.hints(stop.signal)) if (id === shop && (await engine.inspect(shop)).rules === 'foreign') return 'hinted';
    return 'ended';
  })();
  // Soon after changes of our own nothing is noticed, so it is changed again.
  for (let count = 0; (await Promise.race([hinted, pause(500, undefined)])) === undefined; count += 1)
    execFileSync('nft', ['add', 'chain', 'inet', `coppice_${serverId}`, `stranger_${count}`]);
  assert.equal(await hinted, 'hinted');
  stop.abort();
  execFileSync('nft', ['flush', 'table', 'inet', `coppice_${serverId}`]);
  await engine.ensureNetwork(shop);
  await engine.applyPolicy(shop, wanted);
  assert.equal((await engine.inspect(shop)).rules, undefined);
});

test('an instance taken out of its network is hinted at', async () => {
  const stop = new AbortController();
  const hinted = engine.hints(stop.signal)[Symbol.asyncIterator]();
  const first = hinted.next();
  const { id } = instances.stranger;
  const name = execFileSync('docker', ['inspect', '--format', '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}', id], {
    encoding: 'utf8',
  }).trim();
  // The stream may open after this: then it is done again.
  for (;;) {
    execFileSync('docker', ['network', 'disconnect', name, id]);
    const seen = await Promise.race([first, pause(500, undefined)]);
    if (seen !== undefined) {
      assert.equal(seen.value, other);
      break;
    }
    execFileSync('docker', ['network', 'connect', name, id]);
  }
  stop.abort();
});
