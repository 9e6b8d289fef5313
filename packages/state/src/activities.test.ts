import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Activity, isCoppiceError } from '@coppice/model';
import { maxLogLineLength, maxLogLines } from './activity-log.ts';
import type { ActivityStore } from './store.ts';
import { gitId, shopWithMain, temporaryStore } from './temporary-store.ts';

function push(project: string): Parameters<ActivityStore['create']>[0] {
  return { kind: 'push', project, environment: undefined, deployment: undefined, actor: 'ann', cause: 'push to main' };
}

test('an activity runs until it has ended, and learns its environment and deployment on the way', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const made = store.activities.create(push(project.name));
  const expected: Activity = {
    ...push(project.name),
    id: made.id,
    sequence: 1,
    revision: 1,
    state: 'running',
    startedAt: '2026-01-02T03:04:07.000Z',
    finishedAt: undefined,
  };
  assert.match(made.id, /^a_[a-z2-7]{16}$/);
  assert.deepEqual([made, store.activities.get(made.id)], [expected, expected]);
  const { id: deployment } = store.deployments.create({
    environment: main.id,
    commit: gitId('c'),
    tree: gitId('a'),
    release: undefined,
    spec: undefined,
    status: 'queued',
    reason: '',
    actor: 'ann',
  });
  store.activities.update(made.id, { environment: main.id });
  store.activities.update(made.id, { deployment });
  store.activities.update(made.id, { state: 'failed' });
  assert.deepEqual(store.activities.get(made.id), {
    ...expected,
    revision: 4,
    environment: main.id,
    deployment,
    state: 'failed',
    finishedAt: '2026-01-02T03:04:09.000Z',
  });
});

test('each change of an activity gets the next number of one sequence, and none is given twice', (t) => {
  const { store } = temporaryStore(t);
  const { project } = shopWithMain(store);
  const blog = store.projects.create('blog');
  const [first, second] = [store.activities.create(push(project.name)), store.activities.create(push(blog.name))];
  store.activities.update(first.id, { state: 'succeeded' });
  store.activities.append(second.id, ['a line is no change']);
  const revisions = [first, second].map(({ id }) => store.activities.get(id)?.revision);
  assert.deepEqual([first.revision, second.revision, revisions], [1, 2, [3, 2]]);
  store.activities.update(second.id, { state: 'failed' });
  store.projects.delete(blog.name);
  assert.equal(store.activities.create(push(project.name)).revision, 5);
  assert.throws(() => store.activities.create(push(blog.name)));
  assert.throws(() => store.activities.update(second.id, { state: 'failed' }));
  assert.equal(store.activities.create(push(project.name)).revision, 6);
});

test('activities are listed newest first, by project, environment and state', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const other = store.projects.create('blog');
  const first = store.activities.create(push(project.name));
  const second = store.activities.create({ ...push(project.name), environment: main.id });
  const third = store.activities.create(push(other.name));
  store.activities.update(second.id, { state: 'succeeded' });
  const ids = (filter: Parameters<ActivityStore['list']>[0]): readonly string[] => store.activities.list(filter).map(({ id }) => id);
  assert.deepEqual(ids({}), [third.id, second.id, first.id]);
  assert.deepEqual(ids({ limit: 1 }), [third.id]);
  assert.deepEqual(ids({ project: project.name }), [second.id, first.id]);
  assert.deepEqual(ids({ project: project.name, state: 'running' }), [first.id]);
  assert.deepEqual(ids({ environment: main.id, state: 'succeeded', limit: 5 }), [second.id]);
  assert.deepEqual(ids({ before: third.sequence }), [second.id, first.id]);
  assert.deepEqual(ids({ project: project.name, before: second.sequence, limit: 5 }), [first.id]);
  assert.deepEqual(ids({ before: first.sequence }), []);
});

test('what changed since a revision is told in the order of the last changes', (t) => {
  const { store } = temporaryStore(t);
  const { project } = shopWithMain(store);
  const changed = (revision: number, limit = 10): readonly string[] => store.activities.changedSince(revision, limit).map(({ id }) => id);
  assert.deepEqual([store.activities.lastRevision(), changed(0)], [0, []]);
  const [first, second, third] = [push, push, push].map((make) => store.activities.create(make(project.name)).id) as [
    string,
    string,
    string,
  ];
  store.activities.update(first, { state: 'succeeded' });
  assert.equal(store.activities.lastRevision(), 4);
  assert.deepEqual(
    [changed(0), changed(0, 2), changed(2), changed(3), changed(4)],
    [[second, third, first], [second, third], [third, first], [first], []],
  );
});

test('a log is read on from where a reader was', (t) => {
  const { store } = temporaryStore(t);
  const { project } = shopWithMain(store);
  const { id } = store.activities.create(push(project.name));
  store.activities.append(id, ['one', 'two']);
  store.activities.append(id, []);
  store.activities.append(id, ['three']);
  assert.deepEqual(
    [store.activities.log(id), store.activities.log(id, 2), store.activities.log(id, 3)],
    [['one', 'two', 'three'], ['three'], []],
  );
});

test('a log keeps its first 10,000 lines, and says at the end how many it did not', (t) => {
  const { store } = temporaryStore(t);
  const { project } = shopWithMain(store);
  const { id } = store.activities.create(push(project.name));
  store.activities.append(
    id,
    Array.from({ length: maxLogLines - 1 }, (_, index) => `line ${index}`),
  );
  store.activities.append(id, ['the last', 'too much']);
  store.activities.append(id, ['more']);
  assert.deepEqual(store.activities.log(id, maxLogLines - 1), ['the last']);
  store.activities.update(id, { state: 'succeeded' });
  assert.deepEqual(store.activities.log(id, maxLogLines - 1), ['the last', '… 2 more lines were not kept']);
  assert.deepEqual(store.activities.log(id, maxLogLines), ['… 2 more lines were not kept']);
  assert.deepEqual(store.activities.log(id, maxLogLines + 1), []);
});

test('a line that is too long is cut', (t) => {
  const { store } = temporaryStore(t);
  const { project } = shopWithMain(store);
  const { id } = store.activities.create(push(project.name));
  store.activities.append(id, ['x'.repeat(maxLogLineLength + 1)]);
  assert.deepEqual(store.activities.log(id), [`${'x'.repeat(maxLogLineLength)}…`]);
});

test('an activity that is not there has no log and no state', (t) => {
  const { store } = temporaryStore(t);
  assert.equal(store.activities.get('a_none'), undefined);
  const calls = [
    () => store.activities.append('a_none', ['x']),
    () => store.activities.log('a_none'),
    () => store.activities.update('a_none', { state: 'failed' }),
    () => store.activities.create(push('p_none')),
  ];
  for (const call of calls) assert.throws(call, (error) => isCoppiceError(error, 'not-found'));
});
