import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { GitObject, ObjectSource } from './object-process.ts';
import { sourceTree } from './tree-listing.ts';
import { walkTree } from './tree-walk.ts';

/** Objects held in memory; counts what it is asked. */
class MemorySource implements ObjectSource {
  readonly objects = new Map<string, GitObject>();
  asked = 0;

  put(type: string, content: Buffer): string {
    const id = createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
    this.objects.set(id, { id, type, size: content.length, content });
    return id;
  }

  blob(text: string): string {
    return this.put('blob', Buffer.from(text));
  }

  tree(...entries: readonly (readonly [mode: string, name: string | Buffer, id: string])[]): string {
    const lines = entries.map(([mode, name, id]) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')]),
    );
    return this.put('tree', Buffer.concat(lines));
  }

  async info(id: string): Promise<GitObject | undefined> {
    this.asked += 1;
    return this.objects.get(id);
  }

  async contents(id: string): Promise<GitObject | undefined> {
    return await this.info(id);
  }
}

const refused = async (source: MemorySource, tree: string, message: RegExp): Promise<void> => {
  await assert.rejects(walkTree(tree, source), { code: 'invalid-tree', message });
};

test('a tree is listed depth first, names sorted by bytes, and looked at from any folder', async () => {
  const source = new MemorySource();
  const file = source.blob('hello');
  const link = source.blob('../a.txt');
  const inner = source.tree(['100755', 'run', file], ['120000', 'up', link]);
  const root = source.tree(['100644', 'a.txt', file], ['40000', 'a', inner], ['100644', 'é', file]);
  const tree = sourceTree(await walkTree(root, source), source);
  const folder = { path: 'a', kind: 'folder', id: inner, size: 0 } as const;
  const run = { path: 'run', kind: 'executable', id: file, size: 5 } as const;
  const up = { path: 'up', kind: 'symlink', id: link, size: 8 } as const;
  assert.deepEqual(await Array.fromAsync(tree.entries()), [
    folder,
    { ...run, path: 'a/run' },
    { ...up, path: 'a/up' },
    { path: 'a.txt', kind: 'file', id: file, size: 5 },
    { path: 'é', kind: 'file', id: file, size: 5 },
  ]);
  const below = await tree.subtree('a');
  assert.deepEqual([below?.id, await Array.fromAsync(below?.entries() ?? [])], [inner, [run, up]]);
  assert.deepEqual([await below?.entry('run'), await below?.entry('a.txt'), await tree.subtree('a.txt')], [run, undefined, undefined]);
  assert.deepEqual([(await tree.subtree('.'))?.id, await tree.entry('a')], [root, folder]);
  assert.equal(`${await tree.blob(file)}`, 'hello');
});

test('a dozen objects that unfold to ten thousand million files are refused after a dozen questions', async () => {
  const source = new MemorySource();
  let tree = source.blob('x');
  for (let level = 0; level < 11; level += 1) {
    const mode = level === 0 ? '100644' : '40000';
    tree = source.tree(...Array.from({ length: 10 }, (_, index) => [mode, `f${index}`, tree] as const));
  }
  const started = performance.now();
  await refused(source, tree, /more than 100000 entries/);
  assert.ok(source.asked <= 12, `${source.asked} questions`);
  assert.ok(performance.now() - started < 2000);
});

test('deep trees, long paths and large files are refused', async () => {
  const source = new MemorySource();
  const blob = source.blob('x');
  let deep = source.tree(['100644', 'f', blob]);
  for (let level = 0; level < 64; level += 1) deep = source.tree(['40000', 'd', deep]);
  await refused(source, deep, /deeper than 64/);
  let long = source.tree(['100644', 'f', blob]);
  for (let level = 0; level < 20; level += 1) long = source.tree(['40000', 'd'.repeat(250), long]);
  await refused(source, long, /longer than 4096 bytes/);
  const large = { id: 'ab'.repeat(20), type: 'blob', size: 600 * 1024 ** 2, content: Buffer.alloc(0) };
  source.objects.set(large.id, large);
  await refused(source, source.tree(['100644', 'a', large.id], ['100644', 'b', large.id]), /more than 1073741824 bytes/);
});

test('links that lead out of the repository are refused, also by way of others', async () => {
  const source = new MemorySource();
  const link = (target: string): string => source.blob(target);
  await refused(
    source,
    source.tree(['120000', 'p', link('/etc/passwd')]),
    /^p is a symbolic link to \/etc\/passwd, which is an absolute path/,
  );
  const up = source.tree(['120000', 'up', link('../../x')]);
  await refused(source, source.tree(['40000', 'd', up]), /^d\/up is a symbolic link to \.\.\/\.\.\/x, which leaves the repository/);
  const deep = source.tree(['40000', 'e', source.tree(['120000', 'up', link('../..')])]);
  await refused(source, source.tree(['40000', 'd', deep], ['120000', 'l', link('d/e/up/../x')]), /^l is .* leaves the repository/);
  await refused(source, source.tree(['120000', 'a', link('b')], ['120000', 'b', link('a')]), /leads in a circle/);
  await refused(source, source.tree(['120000', 'a', link('x'.repeat(5000))]), /longer than 4095 bytes/);
  await walkTree(source.tree(['120000', 'a', link('missing/./x')], ['120000', 'b', link('d/../a')]), source);
});

test('submodules, odd modes and deceptive names are refused', async () => {
  const source = new MemorySource();
  const blob = source.blob('x');
  await refused(source, source.tree(['160000', 'vendor', blob]), /^vendor is a submodule/);
  await refused(source, source.tree(['100600', 'f', blob]), /has the mode 100600/);
  await refused(source, source.tree(['100644', 'A', blob], ['100644', 'a', blob]), /^a and A differ only in case/);
  await refused(source, source.tree(['100644', 'e\u0301', blob], ['100644', '\u00e9', blob]), /differ only in case or form/);
  await refused(source, source.tree(['100644', 'a\nb', blob]), /^"a\\nb": the name holds a control character/);
  await refused(source, source.tree(['100644', Buffer.from([0x66, 0xff]), blob]), /not valid UTF-8/);
  for (const name of ['.git', '.GIT', '.g\u200cit', 'git~1', '..', '.', 'a/b']) {
    await refused(source, source.tree(['100644', name, blob]), /cannot have this name/);
  }
  await refused(source, source.put('tree', Buffer.from('100644 f\0short')), /the tree object is damaged/);
});
