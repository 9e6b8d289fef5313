import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import Sqlite from 'better-sqlite3';
import { openStore } from './open-store.ts';
import { shopWithMain, temporaryStore } from './temporary-store.ts';

const unreadable = (error: unknown): boolean => isCoppiceError(error, 'secret-unreadable');

test('a secret is made at first use and the same ever after, also when the store is opened again', (t) => {
  const { store, directory } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const fix = store.environments.create({ project: project.name, name: 'fix', branch: 'fix', parent: undefined });
  const [db, cache, other] = [
    store.secrets.obtain(main.id, 'db'),
    store.secrets.obtain(main.id, 'cache'),
    store.secrets.obtain(fix.id, 'db'),
  ];
  assert.match(db, /^[A-Za-z0-9_-]{32}$/);
  assert.equal(new Set([db, cache, other]).size, 3);
  const again = openStore({ directory });
  assert.equal(again.secrets.obtain(main.id, 'db'), db);
  assert.deepEqual(again.secrets.values(main.id), [cache, db]);
  assert.deepEqual([...again.secrets.values()].sort(), [db, cache, other].sort());
  again.close();
});

test('the key lies beside the database for its owner alone, and is made only when a secret is', (t) => {
  const { store, directory } = temporaryStore(t);
  const { main } = shopWithMain(store);
  assert.deepEqual(store.secrets.values(), []);
  assert.equal(readdirSync(directory).includes('secret.key'), false);
  store.secrets.obtain(main.id, 'db');
  const modes = readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mode & 0o777]);
  assert.deepEqual(modes, [
    ['secret.key', 0o600],
    ['state.db', 0o600],
    ['state.db-shm', 0o600],
    ['state.db-wal', 0o600],
  ]);
});

test('a keyed hash is the same for the same text on one server, also when it is opened again, and another on any other', (t) => {
  const [mine, other] = [temporaryStore(t), temporaryStore(t)];
  const hash = mine.store.secrets.keyedHash('LEVEL=debug');
  assert.match(hash, /^[0-9a-f]{12}$/);
  const again = openStore({ directory: mine.directory });
  assert.equal(again.secrets.keyedHash('LEVEL=debug'), hash);
  again.close();
  const hashes = [hash, mine.store.secrets.keyedHash('LEVEL=info'), other.store.secrets.keyedHash('LEVEL=debug')];
  assert.equal(new Set(hashes).size, 3);
  const plain = createHmac('sha256', Buffer.from(readFileSync(join(mine.directory, 'secret.key'), 'utf8'), 'base64'));
  assert.notEqual(plain.update('LEVEL=debug').digest('hex').slice(0, 12), hash);
});

test('neither a secret nor a token lies in the files of the database in clear', (t) => {
  const { store, directory } = temporaryStore(t);
  const { main } = shopWithMain(store);
  const values = [store.secrets.obtain(main.id, 'db'), store.tokens.issue('admin')];
  const bytes = Buffer.concat(
    readdirSync(directory)
      .filter((name) => name.startsWith('state.db'))
      .map((name) => readFileSync(join(directory, name))),
  );
  assert.equal(bytes.includes(main.id), true);
  for (const value of values) {
    for (const form of [
      value,
      Buffer.from(value, 'base64url'),
      Buffer.from(value).toString('hex'),
      Buffer.from(value).toString('base64'),
    ]) {
      assert.equal(bytes.includes(form), false);
    }
  }
});

test("with another server's key nothing is read, and nothing is sealed with it either", (t) => {
  const mine = temporaryStore(t);
  const { main } = shopWithMain(mine.store);
  mine.store.secrets.obtain(main.id, 'db');
  const other = temporaryStore(t);
  other.store.secrets.obtain(shopWithMain(other.store).main.id, 'db');
  copyFileSync(join(other.directory, 'secret.key'), join(mine.directory, 'secret.key'));
  const store = openStore({ directory: mine.directory });
  assert.throws(() => store.secrets.obtain(main.id, 'db'), unreadable);
  assert.throws(() => store.secrets.obtain(main.id, 'new'), unreadable);
  assert.throws(() => store.secrets.values(), unreadable);
  store.close();
});

test('a key that is gone, or is no key, is said and not replaced', (t) => {
  const { store, directory } = temporaryStore(t);
  const { main } = shopWithMain(store);
  store.secrets.obtain(main.id, 'db');
  const keyFile = join(directory, 'secret.key');
  writeFileSync(keyFile, 'short\n');
  const withBadKey = openStore({ directory });
  assert.throws(() => withBadKey.secrets.obtain(main.id, 'new'), unreadable);
  withBadKey.close();
  rmSync(keyFile);
  const withoutKey = openStore({ directory });
  assert.throws(() => withoutKey.secrets.obtain(main.id, 'new'), unreadable);
  assert.equal(readdirSync(directory).includes('secret.key'), false);
  withoutKey.close();
});

test('a sealed value that is moved to another name or altered does not open', (t) => {
  const { store, directory } = temporaryStore(t);
  const { main } = shopWithMain(store);
  store.secrets.obtain(main.id, 'admin');
  store.secrets.obtain(main.id, 'guest');
  const sqlite = new Sqlite(join(directory, 'state.db'));
  sqlite.exec(
    `UPDATE secrets SET (nonce, sealed, tag) = (SELECT nonce, sealed, tag FROM secrets WHERE name = 'admin') WHERE name = 'guest'`,
  );
  assert.throws(() => store.secrets.obtain(main.id, 'guest'), unreadable);
  sqlite.exec(`UPDATE secrets SET sealed = zeroblob(length(sealed)) WHERE name = 'admin'`);
  assert.throws(() => store.secrets.obtain(main.id, 'admin'), unreadable);
  sqlite.close();
});
