import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { shopWithMain, temporaryStore } from '@coppice/state/testing';
import { ActivityRecorder, type ActivityStart } from '../activity-recorder.ts';
import { activityCommands } from './activity-commands.ts';

const push: ActivityStart = { kind: 'push', project: 'shop', environment: undefined, actor: 'ann', cause: 'push to main' };

function shop(t: TestContext) {
  const { store } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const activities = new ActivityRecorder(store);
  return { main, activities, commands: activityCommands({ ports: { store, log: () => undefined }, activities }) };
}

test('activities come in pages, also where all of a page’s are of one environment', (t) => {
  const { main, activities, commands } = shop(t);
  for (const environment of [main.id, undefined, main.id, main.id]) activities.start({ ...push, environment });
  const pages = (about: { readonly project?: string; readonly environment?: string }): unknown => {
    const first = commands.listActivities({ ...about, limit: 2 });
    const rest = first.next === null ? undefined : commands.listActivities({ ...about, before: first.next, limit: 2 });
    return [first, rest].map((page) => page && [page.items.map(({ sequence }) => sequence), page.next]);
  };
  assert.deepEqual(pages({}), [
    [[4, 3], 3],
    [[2, 1], null],
  ]);
  assert.deepEqual(pages({ project: 'shop', environment: 'main' }), [
    [[4, 3], 3],
    [[1], null],
  ]);
  assert.deepEqual(commands.listActivities({ limit: 4 }).next, null);
});

test('events name the environment and go on after the revision that was seen', async (t) => {
  const { main, activities, commands } = shop(t);
  const first = activities.start({ ...push, environment: main.id });
  activities.start(push);
  first.finish('failed');
  const told: unknown[] = [];
  for await (const view of commands.events({ after: 1, signal: new AbortController().signal })) {
    told.push([view.sequence, view.revision, view.state, view.environment]);
    if (told.length === 2) break;
  }
  assert.deepEqual(told, [
    [2, 2, 'running', null],
    [1, 3, 'failed', 'main'],
  ]);
});

test('an activity that is not there is not found', (t) => {
  const { commands } = shop(t);
  assert.throws(
    () => commands.showActivity('a_none'),
    (error) => isCoppiceError(error, 'not-found') && error.hint !== undefined,
  );
});
