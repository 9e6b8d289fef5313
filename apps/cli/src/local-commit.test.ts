import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { type CloneFixture, cloneFixture, temporaryFolder } from './clone-fixture.ts';
import { findClone, type LocalClone } from './local-clone.ts';
import { localCommit } from './local-commit.ts';

function at(folder: string): LocalClone {
  const clone = findClone(folder);
  assert.ok(clone);
  return clone;
}

async function ours(folder: string, revisions: readonly string[]): Promise<readonly (string | undefined)[]> {
  return await Promise.all(revisions.map(async (revision) => await localCommit(at(folder), revision)));
}

/** What git itself makes of them. */
function gits(clone: CloneFixture, revisions: readonly string[]): readonly string[] {
  return revisions.map((revision) => clone.git('rev-parse', '--verify', `${revision}^{commit}`));
}

/** Three commits on main, the last a merge of `feature/basket`, with a light and an annotated tag. */
function history(t: TestContext): CloneFixture {
  const clone = cloneFixture(t);
  clone.commit('one');
  clone.git('tag', 'light');
  clone.git('switch', '--quiet', '--create', 'feature/basket');
  clone.commit('beside');
  clone.git('tag', '--annotate', '--message', 'a tag', 'v1.0');
  clone.git('switch', '--quiet', 'main');
  clone.commit('two');
  clone.git('merge', '--quiet', '--no-ff', '--message', 'three', 'feature/basket');
  clone.git('update-ref', 'refs/remotes/origin/main', 'light');
  return clone;
}

const revisions = [
  ...['HEAD', '@', 'main', 'feature/basket', 'heads/main', 'light', 'v1.0', 'tags/v1.0', 'origin/main', 'refs/heads/main'],
  ...['HEAD~1', 'HEAD~', 'HEAD~~', 'HEAD~2', '@~1', 'HEAD^', 'HEAD^2', 'HEAD^^', 'HEAD^2~1', 'HEAD~0', 'HEAD^0', 'v1.0~1', 'origin/main~0'],
];

test('a revision is what git itself takes it for, with loose and with packed objects and refs', async (t) => {
  const clone = history(t);
  const ids = [
    clone.git('rev-parse', 'HEAD~1').slice(0, 7),
    clone.git('rev-parse', 'HEAD'),
    `${clone.git('rev-parse', 'HEAD').slice(0, 9)}~1`,
  ];
  const all = [...revisions, ...ids];
  const expected = gits(clone, all);
  assert.deepEqual(await ours(clone.folder, all), expected);
  clone.git('gc', '--quiet');
  assert.deepEqual(await ours(clone.folder, all), expected);
});

test('in a linked worktree HEAD is its own, and branches are those of the clone', async (t) => {
  const clone = history(t);
  const worktree = join(temporaryFolder(t), 'worktree');
  clone.git('worktree', 'add', '--quiet', '-b', 'topic', worktree, 'light');
  assert.deepEqual(await ours(worktree, ['HEAD', 'topic', 'main', 'v1.0']), gits(clone, ['topic', 'topic', 'main', 'v1.0']));
});

test('a detached HEAD is the commit that is checked out', async (t) => {
  const clone = history(t);
  clone.git('switch', '--quiet', '--detach', 'v1.0');
  assert.deepEqual(await ours(clone.folder, ['HEAD', 'HEAD~1']), gits(clone, ['v1.0', 'light']));
});

test('what the clone does not know is left to the server', async (t) => {
  const clone = history(t);
  const unknown = ['nowhere', 'origin', 'deadbeef', 'd_abcdefgh', 'config', 'a b', ''];
  assert.deepEqual(
    await ours(clone.folder, unknown),
    unknown.map(() => undefined),
  );
});

test('what only the clone could know and does not is not found, and it is said what can be written', async (t) => {
  const clone = history(t);
  const empty = cloneFixture(t);
  const wrong: readonly (readonly [CloneFixture, string])[] = [
    [empty, 'HEAD'],
    [empty, '@'],
    ...['HEAD~99', 'HEAD^3', 'nowhere~1', 'HEAD@{1}', 'HEAD^{tree}', 'main..v1.0', ':/two', '../clone/.git/HEAD'].map(
      (text) => [clone, text] as const,
    ),
  ];
  for (const [{ folder }, revision] of wrong) {
    const error = await localCommit(at(folder), revision).catch((thrown: unknown) => thrown);
    assert.ok(isCoppiceError(error, 'not-found'), revision);
    assert.deepEqual(
      [error.message, error.hint],
      [
        `"${revision}" is no commit of this clone`,
        'write a branch, a tag, HEAD or the id of a commit, each with ~N or ^N after it where wanted',
      ],
    );
  }
});

test('a whole id is itself, whether or not the clone has it', async (t) => {
  const id = 'f'.repeat(40);
  assert.deepEqual(await ours(history(t).folder, [id]), [id]);
});

test('a clone that borrows its objects from another knows its branches and tags', async (t) => {
  const clone = history(t);
  const borrower = join(temporaryFolder(t), 'borrower');
  clone.git('clone', '--quiet', '--shared', clone.folder, borrower);
  assert.deepEqual(await ours(borrower, ['HEAD', 'main', 'light']), gits(clone, ['HEAD', 'main', 'light']));
});

test('a branch goes before a tag of the same name, as on the server', async (t) => {
  const clone = history(t);
  clone.git('tag', 'main', 'light');
  assert.deepEqual(await ours(clone.folder, ['main', 'tags/main']), gits(clone, ['refs/heads/main', 'refs/tags/main']));
});
