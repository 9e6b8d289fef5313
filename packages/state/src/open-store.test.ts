import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { Database } from './database.ts';
import { openStore } from './open-store.ts';
import { temporaryStore } from './temporary-store.ts';

test('a commit is on disk before it is acknowledged, and references are kept', (t) => {
  const { directory } = temporaryStore(t);
  const database = new Database(join(directory, 'state.db'));
  const settings = (['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout'] as const).map((name) => database.setting(name));
  assert.deepEqual(settings, ['wal', 2, 1, 5000]);
  database.close();
});

test('a transaction over several stores is all or nothing', (t) => {
  const { store } = temporaryStore(t);
  const failure = new Error('in the middle');
  assert.throws(
    () =>
      store.transaction(() => {
        const { name } = store.projects.create('shop');
        store.environments.create({ project: name, name: 'main', branch: 'main', parent: undefined });
        throw failure;
      }),
    (error) => error === failure,
  );
  assert.deepEqual([store.projects.list(), store.environments.list()], [[], []]);
  assert.equal(
    store.transaction(() => store.projects.create('shop').name),
    'shop',
  );
  assert.deepEqual(
    store.projects.list().map(({ name }) => name),
    ['shop'],
  );
});

test('what failed inside a transaction and was caught leaves the rest of it', (t) => {
  const { store } = temporaryStore(t);
  store.transaction(() => {
    store.projects.create('shop');
    assert.throws(
      () => store.projects.create('shop'),
      (error) => isCoppiceError(error, 'conflict'),
    );
    store.projects.create('blog');
  });
  assert.deepEqual(
    store.projects.list().map(({ name }) => name),
    ['blog', 'shop'],
  );
});

test('the directory is made for its owner alone', (t) => {
  const base = mkdtempSync(join(tmpdir(), 'coppice-state-'));
  t.after(() => rmSync(base, { recursive: true }));
  const directory = join(base, 'a', 'data');
  openStore({ directory }).close();
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('a file that is no database, a folder in its place and a closed store are state-failed', (t) => {
  const base = mkdtempSync(join(tmpdir(), 'coppice-state-'));
  t.after(() => rmSync(base, { recursive: true }));
  const failed = (error: unknown): boolean => isCoppiceError(error, 'state-failed');
  mkdirSync(join(base, 'text'));
  writeFileSync(join(base, 'text', 'state.db'), 'not a database, but long enough to be read as one'.repeat(40));
  assert.throws(() => openStore({ directory: join(base, 'text') }), failed);
  mkdirSync(join(base, 'folder', 'state.db'), { recursive: true });
  assert.throws(() => openStore({ directory: join(base, 'folder') }), failed);
  const store = openStore({ directory: join(base, 'closed') });
  store.close();
  assert.throws(() => store.projects.list(), failed);
});
