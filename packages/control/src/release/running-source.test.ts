import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceEntry, SourceTree } from '@coppice/model';
import { runningSource } from './running-source.ts';

const blob = 'ce013625030ba8dba906f756967f9e9ca394464a'; // "hello\n"
const emptyish = 'd8329fc1cc938780ffdd9f94e0d364e0ea74f579';

function tree(paths: readonly (readonly [string, SourceEntry['kind']])[], id = 'f'.repeat(40)): SourceTree {
  const all = paths.map(
    ([path, kind]): SourceEntry => ({ path, kind, id: kind === 'folder' ? emptyish : blob, size: kind === 'folder' ? 0 : 6 }),
  );
  return {
    id,
    async *entries() {
      yield* all;
    },
    blob: async () => Buffer.from('hello\n'),
    subtree: async () => undefined,
    entry: async (path) => all.find((entry) => entry.path === path),
  };
}

async function paths(source: SourceTree): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const entry of source.entries()) found.push(entry.path);
  return found;
}

test('a folder without such files is itself', async () => {
  const source = tree([['server.js', 'file']]);
  assert.equal(await runningSource(source), source);
});

test('our file, git’s files and texts about the project stay out, at the top only', async () => {
  const source = await runningSource(
    tree([
      ['.coppice', 'folder'],
      ['.coppice/more.yaml', 'file'],
      ['.gitignore', 'file'],
      ['README.md', 'file'],
      ['coppice.yaml', 'file'],
      ['docs', 'folder'],
      ['docs/README.md', 'file'],
      ['readme.js', 'file'],
      ['server.js', 'file'],
    ]),
  );
  assert.deepEqual(await paths(source), ['docs', 'docs/README.md', 'readme.js', 'server.js']);
  assert.equal(await source.entry('coppice.yaml'), undefined);
});

test('the id is the one git gives the folder without them', async () => {
  const source = await runningSource(
    tree([
      ['LICENSE', 'file'],
      ['a.txt', 'file'],
    ]),
  );
  // git init; printf 'hello\n' > a.txt; git add a.txt; git write-tree
  assert.equal(source.id, '2e81171448eb9f2ee3821e3d447aa6b2fe3ddba1');
});
