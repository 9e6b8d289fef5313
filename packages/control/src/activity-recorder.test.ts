import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type TestContext, test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { shopWithMain, temporaryStore } from '@coppice/state/testing';
import { ActivityRecorder, type ActivityStart, type RunningActivity } from './activity-recorder.ts';

function recorder(t: TestContext): { readonly activities: ActivityRecorder; readonly store: Store; readonly main: EnvironmentRecord } {
  const { store } = temporaryStore(t);
  return { activities: new ActivityRecorder(store), store, main: shopWithMain(store).main };
}

const push: ActivityStart = { kind: 'push', project: 'shop', environment: undefined, actor: 'ann', cause: 'push to main' };

async function all<Value>(values: AsyncIterable<Value>): Promise<readonly Value[]> {
  const found: Value[] = [];
  for await (const value of values) found.push(value);
  return found;
}

test('what is said is stored and echoed, what is noted only stored, both without control characters and secrets', async (t) => {
  const { activities, store, main } = recorder(t);
  const secret = store.secrets.obtain(main.id, 'db');
  const echoed: string[] = [];
  const activity = activities.start({ ...push, environment: main.id, echo: (line) => echoed.push(line) });
  activity.say(`\u001b[31mpassword\u001b[0m ${secret}`);
  activity.note(`noted ${secret}`);
  assert.deepEqual(await all(activities.log(activity.id, { follow: false })), ['password [secret]', 'noted [secret]']);
  assert.deepEqual(echoed, ['password [secret]']);
});

test('the secrets taken out are those of its environment as it is known, of all while none is', async (t) => {
  const { activities, store, main } = recorder(t);
  const fix = store.environments.create({ project: 'shop', name: 'fix', branch: 'fix', parent: undefined });
  const [secret, other] = [store.secrets.obtain(main.id, 'db'), store.secrets.obtain(fix.id, 'db')];
  const [alone, moved] = [activities.start(push), activities.start({ ...push, environment: fix.id })];
  alone.say(`${secret} ${other}`);
  moved.say(other);
  moved.about({ environment: main.id });
  moved.say(secret);
  assert.deepEqual(await all(activities.log(alone.id, { follow: false })), ['[secret] [secret]']);
  assert.deepEqual(await all(activities.log(moved.id, { follow: false })), ['[secret]', '[secret]']);
  assert.equal(store.activities.get(moved.id)?.environment, main.id);
});

test('a follower gets the lines so far, those that come, and the end', async (t) => {
  const { activities } = recorder(t);
  const activity = activities.start(push);
  activity.say('before');
  const lines = activities.log(activity.id, { follow: true })[Symbol.asyncIterator]();
  assert.deepEqual(await lines.next(), { done: false, value: 'before' });
  activity.say('after');
  assert.deepEqual(await lines.next(), { done: false, value: 'after' });
  activity.say('last');
  activity.finish('failed');
  assert.deepEqual(await lines.next(), { done: false, value: 'last' });
  assert.deepEqual(await lines.next(), { done: true, value: undefined });
});

test('a follower that is called off ends, also where it was before it began', async (t) => {
  const { activities } = recorder(t);
  const activity = activities.start(push);
  const off = new AbortController();
  const following = all(activities.log(activity.id, { follow: true, signal: off.signal }));
  off.abort();
  assert.deepEqual(await following, []);
  assert.deepEqual(await all(activities.log(activity.id, { follow: true, signal: off.signal })), []);
});

test('a reader that stops early, or asks for a log that is not there, leaves no listener behind', async (t) => {
  const { activities } = recorder(t);
  const { signal } = new AbortController();
  const activity = activities.start(push);
  activity.say('one');
  for await (const line of activities.log(activity.id, { follow: true, signal })) {
    assert.equal(line, 'one');
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    break;
  }
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
  await assert.rejects(all(activities.log('a_none', { follow: true, signal })), { code: 'not-found' });
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
});

test('the end of an activity is waited for; one that is not there has none', async (t) => {
  const { activities, store } = recorder(t);
  const activity = activities.start(push);
  const ended = activities.ended(activity.id);
  activity.finish('succeeded');
  assert.deepEqual(await ended, store.activities.get(activity.id));
  assert.equal((await ended)?.state, 'succeeded');
  assert.equal(await activities.ended('a_none'), undefined);
});

test('an activity is cancelled while it runs here, or with what it is part of', (t) => {
  const { activities } = recorder(t);
  const outer = new AbortController();
  const [alone, part] = [activities.start(push), activities.start({ ...push, signal: outer.signal })];
  assert.equal(activities.cancel(alone.id), true);
  assert.deepEqual(alone.signal.reason, new CoppiceError('cancelled', 'it was cancelled'));
  assert.equal(part.signal.aborted, false);
  outer.abort('stopping');
  assert.equal(part.signal.reason, 'stopping');
  alone.finish('cancelled');
  assert.deepEqual([activities.cancel(alone.id), activities.cancel('a_none')], [false, false]);
});

test('whoever watches hears of each start, change and end until called off', async (t) => {
  const { activities, main } = recorder(t);
  activities.start(push).finish('succeeded');
  const off = new AbortController();
  const heard = activities.changes({ after: undefined, signal: off.signal })[Symbol.asyncIterator]();
  let coming = heard.next();
  const told = async (): Promise<unknown> => {
    const { value } = await coming;
    coming = heard.next();
    return value && [value.id, value.state, value.environment, value.revision];
  };
  const activity = activities.start(push);
  assert.deepEqual(await told(), [activity.id, 'running', undefined, 3]);
  activity.about({ environment: main.id });
  assert.deepEqual(await told(), [activity.id, 'running', main.id, 4]);
  activity.finish('succeeded');
  assert.deepEqual(await told(), [activity.id, 'succeeded', main.id, 5]);
  off.abort();
  assert.equal(await told(), undefined);
});

test('whoever comes back hears of all that changed meanwhile, each once, and then goes on', async (t) => {
  const { activities, store } = recorder(t);
  const ids = store.transaction(() => Array.from({ length: 250 }, () => store.activities.create({ ...push, deployment: undefined }).id));
  const again = ids[7] as string;
  store.activities.update(again, { state: 'succeeded' });
  const heard = activities.changes({ after: 5, signal: new AbortController().signal });
  const told: string[] = [];
  let last: RunningActivity | undefined;
  for await (const { id } of heard) {
    told.push(id);
    if (id === again) last = activities.start(push);
    if (id === last?.id) break;
  }
  assert.deepEqual(told, [...ids.slice(5).filter((id) => id !== again), again, last?.id]);
});

test('a revision that was never given is passed over, and who watches what is called off already hears nothing', async (t) => {
  const { activities } = recorder(t);
  activities.start(push);
  const heard = activities.changes({ after: 2, signal: new AbortController().signal })[Symbol.asyncIterator]();
  const coming = heard.next();
  const { id } = activities.start(push);
  assert.equal((await coming).value?.id, id);
  await heard.return?.();
  assert.deepEqual(await all(activities.changes({ after: 0, signal: AbortSignal.abort() })), []);
});

test('how an activity ended is measured and logged with its ids; a cancelled one has no failure of its own', (t) => {
  const { store, main } = recorder(t);
  const told: unknown[] = [];
  const activities = new ActivityRecorder(store, {
    log: (event, details) => told.push([event, details]),
    measure: (measurement) => told.push(measurement),
  });
  const [failed, cancelled] = [activities.start(push), activities.start(push)];
  told.length = 0;
  const error = new CoppiceError('build-failed', 'no');
  failed.about({ environment: main.id });
  failed.finish('failed', error);
  cancelled.finish('cancelled', new DOMException('gone', 'AbortError'));
  const none = { environment: undefined, deployment: undefined };
  assert.deepEqual(told, [
    { kind: 'failure', code: 'build-failed' },
    { kind: 'activity-ended', activity: 'push', state: 'failed' },
    ['activity.ended', { activity: failed.id, ...none, environment: main.id, kind: 'push', project: 'shop', state: 'failed', error }],
    { kind: 'failure', code: 'cancelled' },
    { kind: 'activity-ended', activity: 'push', state: 'cancelled' },
    ['activity.ended', { activity: cancelled.id, ...none, kind: 'push', project: 'shop', state: 'cancelled' }],
  ]);
});

test('all that a dead server left running is closed as failed, however much, and what has ended stays', async (t) => {
  const { activities, store } = recorder(t);
  const ended = activities.start(push);
  ended.finish('succeeded');
  const left = store.transaction(() => Array.from({ length: 1001 }, () => store.activities.create({ ...push, deployment: undefined }).id));
  activities.closeInterrupted();
  assert.deepEqual(store.activities.list({ state: 'running' }), []);
  assert.deepEqual(
    left.map((id) => store.activities.log(id)),
    left.map(() => ['the server stopped while this ran']),
  );
  assert.deepEqual([store.activities.get(ended.id)?.state, store.activities.log(ended.id)], ['succeeded', []]);
});

test('endings are told once, however many activities ended meanwhile, and not before one did', async (t) => {
  const { activities } = recorder(t);
  const stop = new AbortController();
  const endings = activities.endings(stop.signal)[Symbol.asyncIterator]();
  const first = endings.next();
  const [one, other] = [activities.start(push), activities.start(push)];
  one.finish('succeeded');
  assert.equal((await first).done, false);
  other.finish('failed');
  activities.start(push).finish('succeeded');
  assert.equal((await endings.next()).done, false);
  const last = endings.next();
  stop.abort();
  assert.equal((await last).done, true);
});
