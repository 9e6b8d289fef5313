import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoppiceError, type GitId } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { gitId, temporaryStore } from '@coppice/state/testing';
import { MemoryRepository } from '../simulation/memory-repository.ts';
import { parentOf } from './parent.ts';

const commit = gitId('f');

function shop(t: TestContext): Store {
  const { store } = temporaryStore(t);
  store.projects.create('shop');
  return store;
}

/** An environment of the branch; with a digit, it serves the commit made of it. */
function environment(store: Store, branch: string, digit?: string): EnvironmentRecord {
  const made = store.environments.create({ project: 'shop', name: branch.replace('/', '-'), branch, parent: undefined });
  if (digit === undefined) return made;
  const { id } = store.deployments.create({
    environment: made.id,
    commit: gitId(digit),
    tree: gitId('a'),
    release: undefined,
    spec: undefined,
    status: 'succeeded',
    reason: '',
    actor: 'ann',
  });
  store.environments.setLive(made.id, id);
  return made;
}

/** The branch of the parent, where `ahead` says how far the commit is from the merge base with each live one; not named: unrelated. */
async function parentBranch(
  store: Store,
  ahead: Readonly<Record<string, number>>,
  asked: string | undefined = undefined,
): Promise<string | undefined> {
  const mergeBase = async (a: GitId, b: GitId): Promise<{ readonly base: GitId; readonly ahead: number } | undefined> => {
    assert.equal(a, commit);
    const distance = ahead[b.slice(0, 1)];
    return distance === undefined ? undefined : { base: b, ahead: distance };
  };
  const repository = { ...new MemoryRepository().port, mergeBase };
  const parent = await parentOf({ store, repository, project: 'shop', commit, asked });
  return parent && store.environments.get(parent)?.branch;
}

test('the parent is the environment with the nearest merge base', async (t) => {
  const store = shop(t);
  environment(store, 'main', '1');
  environment(store, 'fix/cart', '2');
  environment(store, 'unrelated', '3');
  assert.equal(await parentBranch(store, { 1: 5, 2: 2 }), 'fix/cart');
  assert.equal(await parentBranch(store, { 1: 0, 2: 2 }), 'main');
});

test('of equally near ones it is the default, else the oldest; likewise where none is related', async (t) => {
  const store = shop(t);
  environment(store, 'old', '1');
  environment(store, 'new', '2');
  environment(store, 'main', '3');
  assert.equal(await parentBranch(store, { 1: 2, 2: 2, 3: 2 }), 'main');
  assert.equal(await parentBranch(store, { 1: 2, 2: 2, 3: 3 }), 'old');
  assert.equal(await parentBranch(store, {}), 'main');
});

test('what does not serve yet is not stemmed from, but for the default where nothing else is there', async (t) => {
  const store = shop(t);
  assert.equal(await parentBranch(store, {}), undefined);
  environment(store, 'main');
  assert.equal(await parentBranch(store, {}), 'main');
  environment(store, 'fix/cart', '2');
  assert.equal(await parentBranch(store, { 2: 9 }), 'fix/cart');
});

test('a parent may be asked for by name or branch, however far it is', async (t) => {
  const store = shop(t);
  environment(store, 'main', '1');
  environment(store, 'fix/cart', '2');
  assert.equal(await parentBranch(store, { 1: 0, 2: 9 }, 'fix/cart'), 'fix/cart');
  assert.equal(await parentBranch(store, { 1: 0 }, 'fix-cart'), 'fix/cart');
});

test('a parent that is not there, or does not serve, is refused', async (t) => {
  const store = shop(t);
  environment(store, 'main', '1');
  environment(store, 'broken');
  for (const asked of ['mian', 'broken', '']) {
    await assert.rejects(
      parentBranch(store, {}, asked),
      new CoppiceError('not-found', `push option parent=${asked}: the project has no such environment that serves`),
    );
  }
});
