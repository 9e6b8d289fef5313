import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeQueue } from '../change-queue.ts';
import { noCommit, SimulatedServer, shopFile } from '../simulation/simulated-server.ts';
import { IdleWatch } from './idle-watch.ts';
import { LiveDeclarations } from './live-declarations.ts';

const minuteMs = 60_000;

test('an environment sleeps once nobody asked for as long as suspend_after says; streams, waiting requests and changes are use', async (t) => {
  const server = new SimulatedServer(t);
  const file = `${shopFile('1')}environments: [{ match: "**", suspend_after: 1m }]\n`;
  await server.push(server.serve(), { previous: noCommit, next: server.repository.commit(file) });
  const [environment] = server.ports.store.environments.list();
  assert.ok(environment);
  let nowMs = 0;
  const ports = { ...server.ports, clock: { now: () => new Date(nowMs), monotonicMs: () => nowMs } };
  const queue = new ChangeQueue();
  const slept: string[] = [];
  const sleeper = { suspend: (_: unknown, { cause }: { cause: string }) => String(slept.push(cause)) };
  const idle = new IdleWatch({ ports, queue, sleeper, declarations: new LiveDeclarations(ports.store) });
  const look = async (usage: Parameters<typeof server.router.setUsage>[1]): Promise<void> => {
    server.router.setUsage(environment.id, usage);
    await idle.look();
  };
  const unused = { open: 0, held: 0, idleMs: minuteMs };
  await look(unused); // it may have been awake for no time at all
  nowMs += minuteMs;
  await look({ ...unused, open: 1 });
  await look({ ...unused, held: 1 });
  await look({ ...unused, idleMs: minuteMs - 1 });
  const change = Promise.withResolvers<void>();
  const changing = queue.run('shop main', 'other', () => change.promise);
  await look(unused);
  change.resolve();
  await changing;
  await look(unused);
  assert.deepEqual(slept, []);
  nowMs += minuteMs;
  await look(unused);
  assert.deepEqual(slept, ['no request for 60 s']);
});

test('without suspend_after an environment stays awake, and the router is not even asked', async (t) => {
  const server = new SimulatedServer(t);
  await server.push(server.serve(), { previous: noCommit, next: server.repository.commit(shopFile('1')) });
  const router = { ...server.router, usage: () => assert.fail('asked') };
  const idle = new IdleWatch({
    ports: { ...server.ports, router },
    queue: new ChangeQueue(),
    sleeper: { suspend: () => assert.fail('suspended') },
    declarations: new LiveDeclarations(server.ports.store),
  });
  await idle.look();
});
