import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SnapshotId } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { shopWithMain, temporaryStore } from '@coppice/state/testing';
import type { Ports } from '../ports.ts';
import { Retention } from './retention.ts';

interface World {
  readonly store: Store;
  readonly main: EnvironmentRecord;
  /** Ids of what was asked to be emptied. */
  readonly emptied: string[];
  /** Sets the clock; `alone`: it jumps, and no time passes. */
  readonly at: (time: string, alone?: 'alone') => void;
  /** What a server does that starts now. */
  readonly serve: () => Retention;
  /** When backups were taken, oldest first. */
  readonly taken: () => readonly string[];
}

function world(t: TestContext): World {
  let nowMs = Date.parse('2026-03-01T12:00:00Z');
  let elapsedMs = 0;
  const clock = { now: () => new Date(nowMs), monotonicMs: () => elapsedMs };
  const { store } = temporaryStore(t, clock);
  const { main } = shopWithMain(store);
  const emptied: string[] = [];
  const keeper = {
    sweep: async () => undefined,
    empty: async (records: readonly { readonly id: string }[]) => {
      emptied.push(...records.map(({ id }) => id));
      return records.length;
    },
  };
  const changer = {
    backUp: async (environment: EnvironmentRecord, { cause, kind }: { readonly cause: string; readonly kind: 'manual' | 'scheduled' }) => {
      const { id, project, name, live } = environment;
      const backup = { id: store.backups.newId(), project, environment: id, environmentName: name, deployment: live };
      return store.backups.create({ ...backup, kind, reason: cause, before: undefined, spec: undefined }).id;
    },
  };
  const rule = { suspendAfterMs: undefined, backups: [{ schedule: '0 3 * * *', keep: 2 }] };
  const ports = { store, clock, settings: {}, log: () => undefined } as unknown as Ports;
  return {
    store,
    main,
    emptied,
    at: (time, alone) => {
      const ms = Date.parse(time) - nowMs;
      nowMs += ms;
      if (alone === undefined) elapsedMs += ms;
    },
    serve: () =>
      new Retention({
        ports,
        keeper: keeper as never,
        changer,
        declarations: { of: () => rule },
        activities: { endings: async function* () {} } as never,
      }),
    taken: () =>
      store.backups
        .list({})
        .map(({ createdAt }) => createdAt)
        .reverse(),
  };
}

test('a backup is taken once when its time comes, and of the oldest as many go as the rule says', async (t) => {
  const { at, serve, taken, store } = world(t);
  const retention = serve();
  await retention.look();
  at('2026-03-02T02:59:00Z');
  await retention.look();
  assert.deepEqual(taken(), []);
  for (const time of ['2026-03-02T03:00:10Z', '2026-03-02T03:00:40Z', '2026-03-03T03:00:00Z', '2026-03-04T03:00:00Z']) {
    at(time);
    await retention.look();
  }
  assert.deepEqual(taken(), ['2026-03-02T03:00:10.000Z', '2026-03-03T03:00:00.000Z', '2026-03-04T03:00:00.000Z']);
  const [, , oldest] = store.backups.list({});
  assert.deepEqual(retention.outdated(), [oldest]);
  await serve().look();
  assert.deepEqual(taken(), ['2026-03-03T03:00:00.000Z', '2026-03-04T03:00:00.000Z']);
});

test('what was due while no server ran is taken at the first look of the next, once', async (t) => {
  const { at, serve, taken } = world(t);
  const before = serve();
  await before.look();
  at('2026-03-02T03:00:00Z');
  await before.look();
  at('2026-03-05T08:00:00Z');
  const later = serve();
  await later.look();
  await later.look();
  assert.deepEqual(taken(), ['2026-03-02T03:00:00.000Z', '2026-03-05T08:00:00.000Z']);
});

test('the trash is emptied of what had its time, but not by a clock that jumped', async (t) => {
  const { at, serve, emptied, store, main } = world(t);
  const whole = { node: undefined, folder: undefined, type: undefined, deployment: undefined, commit: undefined };
  const about = { project: 'shop', environment: main.id, environmentName: 'side', branch: 'side', snapshot: 'b_1' as SnapshotId };
  const { id } = store.trash.create({ ...about, ...whole, purgeAt: '2026-03-08T12:00:00.000Z' });
  const retention = serve();
  const looks = async (): Promise<void> => {
    // Each twentieth look sweeps.
    for (let look = 0; look < 20; look += 1) await retention.look();
  };
  await looks();
  at('2026-04-01T12:00:00Z', 'alone');
  await looks();
  assert.deepEqual(emptied, []);
  at('2026-04-02T13:00:00Z');
  await looks();
  assert.deepEqual([...new Set(emptied)], [id]);
});
