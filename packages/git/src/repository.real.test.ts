import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { type GitId, parseGitId } from '@coppice/model';
import { directoryMark } from './git-environment.ts';
import { defaultGitUser } from './git-user.ts';
import { openRepositories } from './open-repositories.ts';
import type { Repository } from './repository.ts';
import type { GitClient } from './testing/git-client.ts';
import { type LoopbackServer, startLoopbackServer } from './testing/loopback-server.ts';

const zero = '0'.repeat(40);
const gitId = (text: string): GitId => parseGitId(text) ?? assert.fail(text);

suite('a repository', () => {
  let server: LoopbackServer;
  let client: GitClient;
  let repository: Repository;
  let first: GitId;
  let second: GitId;
  beforeEach(async () => {
    server = await startLoopbackServer();
    client = await server.client('work');
    first = gitId(await client.commit('a', '1', 'First\nline\n\nbody'));
    second = gitId(await client.commit('a', '2', 'Second'));
    await client.run('push', '--quiet', 'origin', 'main');
    repository = server.repositories.open('p_1');
  });
  afterEach(async () => await server[Symbol.asyncDispose]());

  test('belongs to its own user and to nobody else', async () => {
    if (process.getuid?.() === 0) {
      const { uid, mode } = await stat(join(server.repositories.path('p_1'), 'refs', 'heads', 'main'));
      assert.deepEqual([uid, mode & 0o022], [defaultGitUser.uid, 0]);
    }
    assert.equal((await stat(join(server.folder, 'repositories'))).mode & 0o077, 0);
  });

  test('is cloned and fetched, also shallow and by old protocols', async () => {
    for (const version of ['0', '1', '2']) {
      const copy = await server.client(`copy-${version}`);
      await copy.run('-c', `protocol.version=${version}`, 'pull', '--quiet', 'origin', 'main');
      assert.equal(await copy.run('rev-parse', 'HEAD'), second);
    }
    const shallow = await server.client('shallow');
    await shallow.run('fetch', '--quiet', '--depth', '1', 'origin', 'main');
    assert.equal(await shallow.run('rev-list', '--count', 'FETCH_HEAD'), '1');
  });

  test('reads commits', async () => {
    const { tree, ...rest } = await repository.objects.commit(first);
    assert.deepEqual(rest, { id: first, parents: [], author: 'Ada <ada@example.com>', subject: 'First line' });
    assert.equal((await repository.objects.tree(first)).id, tree);
    assert.equal((await repository.objects.tree(tree)).id, tree);
    await assert.rejects(repository.objects.commit(tree), { code: 'not-found' });
    await assert.rejects(repository.objects.tree(gitId('1'.repeat(40))), { code: 'not-found' });
  });

  test('moves refs all or none, each from where it must be', async () => {
    await repository.updateRefs([
      { ref: 'refs/heads/x', previous: zero, next: first },
      { ref: 'refs/heads/main', previous: second, next: first },
    ]);
    const after = new Map([
      ['refs/heads/main', first],
      ['refs/heads/x', first],
    ]);
    assert.deepEqual(await repository.refs('refs/heads/'), after);
    const stale = { ref: 'refs/heads/main', previous: second, next: zero };
    await assert.rejects(repository.updateRefs([{ ref: 'refs/heads/y', previous: zero, next: first }, stale]), { code: 'conflict' });
    await assert.rejects(repository.updateRefs([{ ref: 'refs/heads/x', previous: zero, next: first }]), { code: 'conflict' });
    await assert.rejects(repository.updateRefs([{ ref: 'refs/heads/gone', previous: first, next: zero }]), { code: 'conflict' });
    await assert.rejects(repository.updateRefs([{ ref: 'refs/heads/x/y', previous: zero, next: first }]), { code: 'conflict' });
    assert.deepEqual(await repository.refs('refs/heads/'), after);
    await repository.updateRefs([{ ref: 'refs/heads/x', previous: first, next: zero }]);
    assert.deepEqual([...(await repository.refs('refs/')).keys()], ['refs/heads/main']);
  });

  test('resolves ids, branches and tags, and nothing that is an expression', async () => {
    await client.run('tag', '-a', '-m', 'x', 'v1', first);
    await client.run('push', '--quiet', 'origin', 'v1');
    for (const text of [first, first.slice(0, 10), 'v1', 'refs/tags/v1']) assert.equal(await repository.resolve(text), first, text);
    for (const text of ['main', 'refs/heads/main']) assert.equal(await repository.resolve(text), second, text);
    const expressions = [
      'main~1',
      'HEAD',
      '@',
      ':/First',
      'main^{tree}',
      '--all',
      'x\ninfo main',
      '',
      'abc',
      'main:a',
      `main-1-g${first}`,
      '*',
    ];
    for (const text of expressions) assert.equal(await repository.resolve(text), undefined, text);
    assert.equal(await repository.resolve((await repository.objects.commit(first)).tree), undefined);
  });

  test('finds the merge base and how far ahead of it', async () => {
    const { tree } = await repository.objects.commit(second);
    const side = await repository.commitTree({ tree, parent: first, message: 'Revert to\n', author: 'Eve <x>\n' });
    assert.deepEqual(await repository.mergeBase(second, side), { base: first, ahead: 1 });
    assert.deepEqual(await repository.mergeBase(second, second), { base: second, ahead: 0 });
    assert.deepEqual(await repository.objects.commit(side), {
      ...{ id: side, tree, parents: [first] },
      ...{ author: 'Eve x <coppice@localhost>', subject: 'Revert to' },
    });
    await client.run('checkout', '--quiet', '--orphan', 'other');
    const other = gitId(await client.commit('b', '1'));
    await client.run('push', '--quiet', 'origin', 'other');
    assert.equal(await repository.mergeBase(second, other), undefined);
  });

  test('keeps the lines of a note, written at once or twice', async () => {
    await Promise.all(['{"v":1}', '{"v":2}', '{"v":1}'].map(async (line) => await repository.appendNote(second, line)));
    await repository.appendNote(second, '{"v":3}');
    await client.run('fetch', '--quiet', 'origin', 'refs/notes/coppice:refs/notes/coppice');
    assert.equal(await client.run('notes', '--ref=coppice', 'show', second), '{"v":1}\n{"v":2}\n{"v":3}');
  });

  test('is packed without losing what no ref names', async () => {
    await repository.updateRefs([{ ref: 'refs/heads/main', previous: second, next: first }]);
    await server.repositories.maintain('p_1');
    assert.equal((await repository.objects.commit(second)).subject, 'Second');
    assert.deepEqual((await readdir(join(server.repositories.path('p_1'), 'objects'))).sort(), ['info', 'pack']);
  });

  test('is usable again after a sweep of what killed processes left', async () => {
    const path = server.repositories.path('p_1');
    await writeFile(join(path, 'refs/heads/main.lock'), '');
    await writeFile(join(path, 'HEAD.lock'), '');
    await mkdir(join(path, 'objects/tmp_objdir-incoming-abc'));
    const move = { ref: 'refs/heads/main', previous: second, next: first };
    await assert.rejects(repository.updateRefs([move]), { code: 'git-failed', message: /File exists/ });
    await server.repositories.sweep();
    await repository.updateRefs([move]);
    assert.deepEqual(await server.leftovers(), []);
  });

  test('is created again without harm, deleted, and has no name that is a path', async () => {
    await server.repositories.create('p_1');
    assert.equal((await repository.refs('refs/heads/')).get('refs/heads/main'), second);
    await server.repositories.delete('p_1');
    await server.repositories.delete('p_1');
    assert.deepEqual(await readdir(join(server.folder, 'repositories')), []);
    assert.throws(() => server.repositories.open('../p_1'), { code: 'not-found' });
  });
});

test('orphans that a killed server left are ended by a sweep', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-git-'));
  await chmod(folder, 0o755);
  const directory = join(folder, 'r');
  const orphan = spawn('cat', [], { env: { PATH: process.env['PATH'] ?? '', [directoryMark]: directory } });
  const ended = once(orphan, 'exit');
  const repositories = await openRepositories({ directory, hooksDirectory: join(folder, 'h'), log: () => undefined });
  await repositories.sweep();
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  await repositories.close();
  await rm(folder, { recursive: true });
});

test('a folder that git cannot reach is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-git-'));
  const opening = openRepositories({ directory: join(folder, 'r'), hooksDirectory: join(folder, 'h'), log: () => undefined });
  if (process.getuid?.() === 0) await assert.rejects(opening, { code: 'git-failed', message: /lets nobody else pass/ });
  else await (await opening).close();
  await rm(folder, { recursive: true });
});
