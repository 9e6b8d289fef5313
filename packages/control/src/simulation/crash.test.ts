import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type GitId, nodeDigest } from '@coppice/model';
import { SimulatedLife } from './simulated-life.ts';
import { mainRef, noCommit, SimulatedServer, shopFile } from './simulated-server.ts';

interface Change {
  readonly previous: GitId;
  readonly next: GitId;
  readonly options?: readonly string[];
}

/** Brings a server to where the change begins; no control plane lives afterwards. */
type Prepare = (server: SimulatedServer) => Promise<Change>;

const firstPush: Prepare = async (server) => ({ previous: noCommit, next: server.repository.commit(shopFile('1')) });

const update: Prepare = async (server) => {
  const first = server.repository.commit(shopFile('1'));
  await server.push(server.serve(), { previous: noCommit, next: first });
  return { previous: first, next: server.repository.commit(shopFile('2'), [first]) };
};

const keeper = (name: string, more = ''): string => `${shopFile('1').replace('web:', `${name}:`)}    mounts: { data: storage }\n${more}`;

const move: Prepare = async (server) => {
  const first = server.repository.commit(keeper('web'));
  await server.push(server.serve(), { previous: noCommit, next: first });
  return { previous: first, next: server.repository.commit(keeper('shop', '    moved: { from: web }\n'), [first]) };
};

const deletion: Prepare = async (server) => ({ previous: (await update(server)).previous, next: noCommit });

const noWait =
  (prepare: Prepare): Prepare =>
  async (server) => ({ ...(await prepare(server)), options: ['no-wait'] });

const changes = {
  'a first push': firstPush,
  'an update': update,
  'a push that moves data': move,
  'a deletion': deletion,
  'a first push that does not wait': noWait(firstPush),
  'an update that does not wait': noWait(update),
};

for (const [name, prepare] of Object.entries(changes)) {
  test(`a server that is killed at any effect of ${name} is made whole by the next`, async (t) => {
    let moment = 1;
    while (await isKilledAndHeals(t, prepare, moment)) moment += 1;
    assert.ok(moment > 8, `only ${moment} moments were tried`);
    t.diagnostic(`${moment - 1} moments`);
  });
}

/** False where the change ended before that moment. */
async function isKilledAndHeals(t: TestContext, prepare: Prepare, moment: number): Promise<boolean> {
  const server = new SimulatedServer(t);
  const change = await prepare(server);
  const life = new SimulatedLife(moment);
  let isFirst = true;
  const astray: string[] = [];
  server.engine.onEffect(async (effect, when) => {
    if (change.previous !== noCommit && change.next !== noCommit)
      astray.push(...ledAstray(server, `${when} ${effect.kind} ${effect.what}`));
    // Who is dead answers nothing any more, and the next one is not to be held up by that.
    if (isFirst) await life.onEffect(effect, when);
  });
  const dying = server.serve(life.ports(server.ports));
  const pushed = server.push(dying, change);
  // A push that does not wait is answered while its deployment still runs.
  const done = pushed.then(async () => {
    while (server.ports.store.activities.list({ state: 'running' }).length > 0 && !life.dead) await pause(1);
    return 'done';
  });
  await until(async () => life.dead || (await Promise.race([done, pause(1, 'going')])) === 'done', `moment ${moment}: the push hangs`);
  dying.stop();
  assert.deepEqual(astray, [], `moment ${moment}`);
  if (!life.dead) return false;
  isFirst = false;

  const plane = server.serve();
  await plane.start();
  await until(
    async () => (await wrong(server)) === undefined,
    async () => `moment ${moment}: ${await wrong(server)}`,
  );
  const previous = server.repository.refs.get(mainRef) ?? noCommit;
  if (previous !== change.next) assert.deepEqual(await server.push(plane, { ...change, previous }), { kind: 'ok', ref: mainRef });
  await until(
    async () => (await wrong(server)) === undefined,
    async () => `moment ${moment}, pushed again: ${await wrong(server)}`,
  );
  assert.deepEqual(astray, [], `after moment ${moment}`);
  plane.stop();
  return true;
}

/** Where requests are led when that is to nobody who runs. */
function ledAstray({ engine, router }: SimulatedServer, when: string): readonly string[] {
  const target = router.route('main.shop.localhost', '/')?.target;
  const running = new Set(engine.containers().flatMap(({ id, state }) => (state === 'running' ? [id] : [])));
  const isServed = target?.kind === 'upstream' ? target.servers.some(({ id }) => running.has(id)) : target?.kind === 'hold';
  return isServed ? [] : [`${when}: ${JSON.stringify(target)}`];
}

/** What does not hold yet of a server that settled. */
async function wrong({ ports, engine, router, repository }: SimulatedServer): Promise<string | undefined> {
  const { store } = ports;
  const [environment] = store.environments.list();
  const listing = await engine.list();
  const tip = repository.refs.get(mainRef);
  if (store.intents.list().length > 0) return 'an intent is left';
  if (!environment) {
    if (tip !== undefined) return 'the ref outlived its environment';
    return listing.size > 0 || (await router.current()).size > 0 ? 'something outlived its environment' : undefined;
  }
  const live = environment.live === undefined ? undefined : store.deployments.get(environment.live);
  if (!live || live.commit !== tip) return `the ref is at ${tip}, but ${live?.commit} is live`;
  if (environment.desired.attempt !== live.id) return 'what is desired is not what is live';
  const wanted = environment.desired.spec?.nodes.map(nodeDigest) ?? [];
  const generations = listing.get(environment.id)?.generations ?? [];
  if (generations.map(({ digest }) => digest).join() !== wanted.join()) return 'other generations run than are desired';
  const running = generations.flatMap(({ instances }) => instances.filter(({ state }) => state === 'running').map(({ id }) => id));
  const target = router.route('main.shop.localhost', '/')?.target;
  const led = target?.kind === 'upstream' ? target.servers.map(({ id }) => id) : [];
  return running.length > 0 && led.join() === running.join() ? undefined : 'the router leads elsewhere';
}

async function until(holds: () => Promise<boolean>, complaint: string | (() => Promise<string>)): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) assert.fail(typeof complaint === 'string' ? complaint : await complaint());
    await pause(5);
  }
}
