import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActivityView } from '@coppice/control';
import { openTestApi } from './api-fixture.ts';

function activity(sequence: number, revision: number): ActivityView {
  return {
    id: `a_${sequence}`,
    sequence,
    revision,
    kind: 'push',
    state: 'running',
    project: 'shop',
    environment: 'main',
    deployment: undefined,
    actor: 'ann',
    cause: 'push to main',
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: undefined,
  };
}

async function* of(activities: readonly ActivityView[]): AsyncIterable<ActivityView> {
  yield* activities;
}

test('a page of activities says where the next one begins, until there is none', async (t) => {
  const all = [activity(5, 9), activity(3, 4), activity(2, 8)];
  const { ask } = openTestApi(t, {
    listActivities: ({ before = 99, limit }) => {
      const older = all.filter(({ sequence }) => sequence < before);
      const items = older.slice(0, limit);
      return { items, next: older.length > limit ? (items.at(-1)?.sequence ?? null) : null };
    },
  });
  const seen: unknown[] = [];
  for (let next: string | null | undefined; next !== null; ) {
    const response = await ask({ url: `/v1/activities?limit=1${next === undefined ? '' : `&before=${next}`}` });
    const page = response.json<{ readonly items: readonly { readonly id: string }[]; readonly next: string | null }>();
    seen.push([page.items.map(({ id }) => id), page.next]);
    next = page.next;
  }
  assert.deepEqual(seen, [
    [['a_5'], '5'],
    [['a_3'], '3'],
    [['a_2'], null],
  ]);
});

test('events carry the revision of their activity, and a client that comes back names the last that it got', async (t) => {
  const asked: unknown[] = [];
  const { ask } = openTestApi(t, {
    events: ({ after }) => {
      asked.push(after);
      return of([activity(3, 7), activity(1, 8)]);
    },
  });
  const bodies: string[] = [];
  for (const id of [undefined, '6', '0', 'yesterday'])
    bodies.push((await ask({ url: '/v1/events', headers: { 'last-event-id': id } })).body);
  const [first, second] = [JSON.stringify(activity(3, 7)), JSON.stringify(activity(1, 8))];
  const told = `id: 7\nevent: activity\ndata: ${first}\n\nid: 8\nevent: activity\ndata: ${second}\n\nevent: end\ndata: null\n\n`;
  assert.deepEqual(bodies, [told, told, told, told]);
  assert.deepEqual(asked, [undefined, 6, 0, undefined]);
});
