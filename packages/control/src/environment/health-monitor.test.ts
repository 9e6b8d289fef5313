import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnvironmentId, ObservedInstance, ReadinessSpec } from '@coppice/model';
import { HealthMonitor } from './health-monitor.ts';

const environment = 'e_1' as EnvironmentId;
const readiness: ReadinessSpec = {
  probe: { kind: 'http', port: 80, path: '/' },
  everyMs: 20,
  withinMs: 60_000,
  intervalMs: 10_000,
  timeoutMs: 1_000,
};

interface World {
  readonly monitor: HealthMonitor;
  readonly probed: string[];
  answer: string | undefined;
  pass(ms: number): void;
}

function world(): World {
  let nowMs = 0;
  const probed: string[] = [];
  const state: World = {
    probed,
    answer: undefined,
    pass: (ms) => {
      nowMs += ms;
    },
    monitor: new HealthMonitor(
      async ({ id }) => {
        probed.push(id);
        return state.answer;
      },
      { now: () => new Date(nowMs), monotonicMs: () => nowMs },
    ),
  };
  return state;
}

function running(id: string, more: Partial<ObservedInstance> = {}): ObservedInstance {
  const still = { exitCode: undefined, outOfMemory: false, cpu: 1, memoryBytes: 1, readiness: 'unknown' } as const;
  return { id, index: 0, state: 'running', address: '10.0.0.2', startedAt: new Date(0).toISOString(), ...still, ...more };
}

test('an instance is probed again only when its interval is over', async () => {
  const { monitor, probed, pass } = world();
  const watched = { instance: running('a'), readiness };
  assert.equal(await monitor.check(watched), 'ready');
  pass(9_999);
  assert.equal(await monitor.check(watched), 'ready');
  assert.deepEqual(probed, ['a']);
  pass(1);
  await monitor.check(watched);
  assert.deepEqual(probed, ['a', 'a']);
});

test('that a port is open is seen a third as often as the interval says, and four times as often once it is not', async () => {
  const now = world();
  const watched = { instance: running('a'), readiness: { ...readiness, probe: { kind: 'tcp', port: 80 } } } as const;
  now.monitor.watch(environment, [watched]);
  const turned: string[] = [];
  const pass = async (ms: number): Promise<void> => {
    now.pass(ms);
    await now.monitor.probeDue((id) => turned.push(id));
  };
  await pass(0);
  await pass(29_999);
  assert.deepEqual(now.probed, ['a']);
  now.answer = 'port 80: ECONNREFUSED';
  for (const ms of [1, 2_499, 1, 2_500]) await pass(ms);
  assert.deepEqual([now.probed.length, turned], [4, [environment, environment]]);
});

test('nobody is probed while the environment stands still', async () => {
  const now = world();
  now.monitor.watch(environment, [{ instance: running('a'), readiness }]);
  await now.monitor.unprobed(environment, () => now.monitor.probeDue(() => undefined));
  assert.deepEqual(now.probed, []);
  await now.monitor.probeDue(() => undefined);
  assert.deepEqual(now.probed, ['a']);
});

test('three failures in a row make an instance unready, and its environment is named once', async () => {
  const now = world();
  const watched = { instance: running('a'), readiness };
  now.monitor.noteReady(watched.instance);
  now.monitor.watch(environment, [watched]);
  now.answer = 'no answer';
  const told: unknown[] = [];
  for (let round = 0; round < 4; round += 1) {
    now.pass(10_000);
    await now.monitor.probeDue((id) => told.push([round, id]));
  }
  assert.deepEqual(told, [[2, environment]]);
  assert.equal(now.monitor.readinessOf(watched.instance), 'unready');
});

test('a success between failures begins the count anew', async () => {
  const now = world();
  const watched = { instance: running('a'), readiness };
  now.monitor.watch(environment, [watched]);
  for (const answer of [undefined, 'no', 'no', undefined, 'no', 'no']) {
    now.answer = answer;
    now.pass(10_000);
    await now.monitor.probeDue(() => undefined);
  }
  assert.equal(now.monitor.readinessOf(watched.instance), 'ready');
});

test('what never was ready may still be starting until the time for a start is over', async () => {
  const now = world();
  now.answer = 'refused';
  const watched = { instance: running('a'), readiness };
  const seen: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    seen.push(await now.monitor.check(watched));
    now.pass(20_001);
  }
  assert.deepEqual(seen, ['unknown', 'unknown', 'unknown', 'unready']);
});

test('a restart is another process, of which nothing is known', async () => {
  const { monitor } = world();
  monitor.noteReady(running('a'));
  assert.equal(monitor.readinessOf(running('a', { startedAt: new Date(1).toISOString() })), 'unknown');
});

test('a process that only has to be alive is not probed in between, nor is one that does not run or is not watched any more', async () => {
  const { monitor, probed, pass } = world();
  monitor.watch(environment, [
    { instance: running('worker'), readiness: { ...readiness, probe: { kind: 'alive', forMs: 1 } } },
    { instance: running('ended', { state: 'exited' }), readiness },
    { instance: running('a'), readiness },
  ]);
  pass(10_000);
  await monitor.probeDue(() => undefined);
  monitor.watch(environment, []);
  pass(10_000);
  await monitor.probeDue(() => undefined);
  assert.deepEqual(probed, ['a']);
});

test('a probe that hangs holds up no other, and is not begun again before it has ended', async () => {
  const begun: string[] = [];
  const hang = Promise.withResolvers<string | undefined>();
  let nowMs = 0;
  const monitor = new HealthMonitor(
    async ({ id }) => {
      begun.push(id);
      return id === 'hangs' ? await hang.promise : undefined;
    },
    { now: () => new Date(nowMs), monotonicMs: () => nowMs },
  );
  monitor.watch(environment, [
    { instance: running('hangs'), readiness },
    { instance: running('a'), readiness },
  ]);
  const first = monitor.probeDue(() => undefined);
  await new Promise(setImmediate);
  nowMs += 10_000;
  await monitor.probeDue(() => undefined);
  assert.deepEqual(begun, ['hangs', 'a', 'a']);
  hang.resolve(undefined);
  await first;
});
