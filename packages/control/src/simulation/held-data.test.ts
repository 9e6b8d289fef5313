import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EnvironmentId, GitId, NodeName } from '@coppice/model';
import type { VolumeDriver, VolumeRef } from '@coppice/volumes';
import type { RunningControlPlane } from '../create-control-plane.ts';
import { noCommit, SimulatedServer } from './simulated-server.ts';

interface Shop {
  readonly server: SimulatedServer;
  readonly plane: RunningControlPlane;
  readonly environment: EnvironmentId;
  readonly first: GitId;
}

/** `db` is alone with its folder, so requests wait while it is replaced: those to `web`, which needs it, not those to `page`. */
function shopFile(version: string, routed: readonly string[]): string {
  const application = (name: string, more: string): string =>
    `  ${name}:\n    type: nodejs:24\n    start: node server.js ${name === 'page' ? '' : version}\n    healthcheck: { command: ./check }\n${more}`;
  const routes = routed.map((name) => `  "http://${name}.{default}/": { type: upstream, upstream: "${name}:http" }\n`).join('');
  return `applications:\n${application('web', '    relationships: [db]\n')}${application('db', '    mounts: { data: instance }\n')}${application('page', '')}routes:\n${routes}`;
}

/** A control plane that runs, with a release that wrote to its data. */
async function served(t: TestContext, { driver, routed }: { driver: VolumeDriver['name']; routed: readonly string[] }): Promise<Shop> {
  const server = new SimulatedServer(t, { driver });
  const plane = server.serve();
  await plane.start();
  const first = server.repository.commit(shopFile('1', routed));
  assert.equal((await server.push(plane, { previous: noCommit, next: first }))?.kind, 'ok', server.said.join('\n'));
  const [record] = server.ports.store.environments.list();
  assert.ok(record);
  const shop = { server, plane, environment: record.id, first };
  server.volumes.write(rows(shop), 'rows');
  return shop;
}

function rows({ server, environment }: Pick<Shop, 'server' | 'environment'>): VolumeRef {
  const [found] = [...(server.volumes.sets().get(environment)?.held.values() ?? [])].filter(({ node }) => node === 'db');
  return { environment, node: 'db' as NodeName, volume: found?.volume ?? '' };
}

/** Pushes a release that changes the data as soon as it runs, and then fails. */
async function pushFailing(
  shop: Shop,
  { routed, failing }: { readonly routed: readonly string[]; readonly failing: string },
): Promise<void> {
  const { server, plane, first } = shop;
  server.engine.behave(failing, { exits: { exitCode: 3 } });
  let [isMigrated, isEnded] = [false, false];
  server.engine.onEffect(({ kind, what }, moment) => {
    if (moment !== 'after' || kind !== 'start-container') return;
    if (what === 'db.0' && !isMigrated) {
      isMigrated = true;
      server.volumes.write(rows(shop), 'rows, migrated');
    }
    if (what !== `${failing}.0` || isEnded) return;
    isEnded = true;
    server.engine.behave(failing, {});
  });
  const second = server.repository.commit(shopFile('2', routed), [first]);
  const result = await server.push(plane, { previous: first, next: second });
  server.engine.onEffect(() => undefined);
  assert.equal(result?.kind, 'refused', server.said.join('\n'));
}

test('a deployment that fails while all requests wait gives the data back, and what it made of it is a backup', async (t) => {
  for (const failing of ['db', 'web']) {
    const routed = ['web'];
    const shop = await served(t, { driver: 'btrfs', routed });
    await pushFailing(shop, { routed, failing });
    const { server, environment } = shop;
    assert.equal(server.volumes.read(rows(shop)), 'rows');
    const made = server.ports.store.backups.list({ environment }).find(({ kind }) => kind === 'replaced');
    assert.ok(made);
    assert.deepEqual(
      [...(server.volumes.kept().get(made.id)?.held.values() ?? [])].map(({ text }) => text),
      ['rows, migrated'],
    );
    assert.ok(
      server.said.some((line) => line.includes(`what was made of it since is kept as ${made.id}`)),
      server.said.join('\n'),
    );
    const { generations } = await server.engine.inspect(environment);
    assert.deepEqual(generations.map(({ node, instances }) => `${node} ${instances.map(({ state }) => state).join()}`).sort(), [
      'db running',
      'page running',
      'web running',
    ]);
  }
});

test('so does one that fails to wake a sleeping environment for it, which sleeps on', async (t) => {
  const routed = ['web', 'page'];
  const shop = await served(t, { driver: 'btrfs', routed });
  const { server, plane, environment } = shop;
  const { activity } = await plane.control.suspend('shop', 'main', 'ada');
  assert.equal((await plane.control.waitActivity(activity)).state, 'succeeded');
  await pushFailing(shop, { routed, failing: 'web' });
  assert.equal(server.volumes.read(rows(shop)), 'rows');
  assert.deepEqual((await server.engine.inspect(environment)).generations, []);
  assert.equal((await plane.control.showEnvironment('shop', 'main')).status, 'suspended');
});

test('where requests go on meanwhile, or a copy takes time, the data stays, and the message names the command', async (t) => {
  for (const { driver, routed } of [
    { driver: 'btrfs', routed: ['web', 'page'] },
    { driver: 'copy', routed: ['web'] },
  ] as const) {
    const shop = await served(t, { driver, routed });
    await pushFailing(shop, { routed, failing: 'web' });
    assert.equal(shop.server.volumes.read(rows(shop)), 'rows, migrated');
    assert.ok(shop.server.said.some((line) => /its data stays as it is now; .*coppice backup restore b_/.test(line)));
  }
});

test('while data goes to a node of another name, requests wait for that one', async (t) => {
  const keeper = (name: string, more: string): string =>
    `applications:\n  ${name}:\n    type: nodejs:24\n    start: node server.js\n    healthcheck: { command: ./check }\n    mounts: { data: storage }\n${more}`;
  const server = new SimulatedServer(t);
  const plane = server.serve();
  const first = server.repository.commit(keeper('web', ''));
  assert.equal((await server.push(plane, { previous: noCommit, next: first }))?.kind, 'ok', server.said.join('\n'));
  const seen: string[] = [];
  server.engine.onEffect(() => {
    const target = server.router.route('main.shop.localhost', '/')?.target;
    const told = target?.kind === 'upstream' ? `${target.servers.length} of ${target.node}` : (target?.kind ?? 'nothing');
    if (seen.at(-1) !== told) seen.push(told);
  });
  const second = server.repository.commit(keeper('shop', '    moved: { from: web }\n'), [first]);
  assert.equal((await server.push(plane, { previous: first, next: second }))?.kind, 'ok', server.said.join('\n'));
  assert.deepEqual(seen, ['1 of web', 'hold', '1 of shop']);
});
