import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRemote, readClone } from './clone-context.ts';
import { cloneFixture, temporaryFolder } from './clone-fixture.ts';

const remote = 'http://x:s3cret@127.0.0.1:7070/git/shop.git';
const shop = { url: 'http://127.0.0.1:7070', token: 's3cret', project: 'shop' };

/** What the folder's clone tells, without where it lies. */
async function told(folder: string): Promise<object> {
  const { url, token, project, branch } = await readClone(folder);
  return { url, token, project, branch };
}

test('a remote of a server tells its address, the token and the project', () => {
  const remotes = {
    [remote]: shop,
    'https://coppice.example.com/git/my-shop.git/': { url: 'https://coppice.example.com', token: undefined, project: 'my-shop' },
    'http://any:a%2Fb%40c@[::1]:7070/git/shop.git': { url: 'http://[::1]:7070', token: 'a/b@c', project: 'shop' },
    'http://person@127.0.0.1:7070/git/shop.git': { ...shop, token: undefined },
    'https://example.com/someone/shop.git': undefined,
    'https://example.com/git/group/shop.git': undefined,
    'https://example.com/git/shop': undefined,
    'ssh://git@example.com/git/shop.git': undefined,
    'git@example.com:git/shop.git': undefined,
    '../git/shop.git': undefined,
    '': undefined,
  };
  assert.deepEqual(Object.fromEntries(Object.keys(remotes).map((text) => [text, parseRemote(text)])), remotes);
});

test('a clone tells server, project and branch, also from a folder inside it and before its first commit', async (t) => {
  const clone = cloneFixture(t, { origin: remote });
  const inside = join(clone.folder, 'apps/web');
  mkdirSync(inside, { recursive: true });
  assert.deepEqual(
    [await told(clone.folder), await told(inside)],
    [
      { ...shop, branch: 'main' },
      { ...shop, branch: 'main' },
    ],
  );
});

test('the remote named coppice goes before others of a server, and those of no server are passed over', async (t) => {
  const clone = cloneFixture(t, {
    alone: 'https://example.com/someone/shop.git',
    first: 'http://127.0.0.1:1/git/other.git',
    coppice: remote,
  });
  assert.deepEqual(await told(clone.folder), { ...shop, branch: 'main' });
  clone.git('remote', 'remove', 'coppice');
  assert.deepEqual(await told(clone.folder), { url: 'http://127.0.0.1:1', token: undefined, project: 'other', branch: 'main' });
});

test('a clone tells the whole name of its branch, and none where HEAD is detached', async (t) => {
  const clone = cloneFixture(t, { origin: remote });
  clone.commit('one');
  clone.git('switch', '--quiet', '--create', 'feature/basket');
  const onBranch = await told(clone.folder);
  clone.git('switch', '--quiet', '--detach');
  assert.deepEqual(
    [onBranch, await told(clone.folder)],
    [
      { ...shop, branch: 'feature/basket' },
      { ...shop, branch: undefined },
    ],
  );
});

test('a linked worktree tells the remote of its clone and a branch of its own', async (t) => {
  const clone = cloneFixture(t, { origin: remote });
  clone.commit('one');
  const worktree = join(temporaryFolder(t), 'worktree');
  clone.git('worktree', 'add', '--quiet', '-b', 'topic', worktree);
  assert.deepEqual(await told(worktree), { ...shop, branch: 'topic' });
});

test('a clone without a remote of a server tells only its branch, and a folder in no clone nothing', async (t) => {
  const none = { url: undefined, token: undefined, project: undefined };
  const bare = temporaryFolder(t);
  mkdirSync(join(bare, '.git'));
  assert.deepEqual(
    [await told(cloneFixture(t).folder), await told(temporaryFolder(t)), await told(bare)],
    [
      { ...none, branch: 'main' },
      { ...none, branch: undefined },
      { ...none, branch: undefined },
    ],
  );
});
