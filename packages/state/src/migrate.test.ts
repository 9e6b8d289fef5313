import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Activity, type EnvironmentId, isCoppiceError } from '@coppice/model';
import { Database } from './database.ts';
import { migrate, migrations } from './migrate.ts';
import { openStore } from './open-store.ts';
import { olderDirectory } from './temporary-store.ts';

const fixtures = new URL('fixtures/', import.meta.url);

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-state-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function databaseFor(t: TestContext): Database {
  const database = new Database(join(directoryFor(t), 'state.db'));
  t.after(() => database.close());
  return database;
}

function columns(database: Database): readonly string[] {
  return database.all<{ sql: string }>(`SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name`).map(({ sql }) => sql);
}

test('migrations are numbered from 1 without gaps', () => {
  assert.deepEqual(
    migrations.map(({ version }) => version),
    migrations.map((_, index) => index + 1),
  );
});

test('a migration keeps the rows that are there, and is not applied twice', (t) => {
  const database = databaseFor(t);
  const older = { version: 1, sql: "CREATE TABLE fruits (name TEXT); INSERT INTO fruits VALUES ('plum')" };
  const newer = { version: 2, sql: "ALTER TABLE fruits ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'" };
  migrate(database, [older]);
  migrate(database, [older, newer]);
  migrate(database, [older, newer]);
  assert.deepEqual([database.version, database.all('SELECT * FROM fruits')], [2, [{ name: 'plum', colour: 'blue' }]]);
});

test('a migration that fails leaves the version before it, whole', (t) => {
  const database = databaseFor(t);
  const good = { version: 1, sql: 'CREATE TABLE fruits (name TEXT)' };
  const bad = { version: 2, sql: 'CREATE TABLE stones (name TEXT); INSERT INTO nowhere VALUES (1)' };
  assert.throws(
    () => migrate(database, [good, bad]),
    (error) => isCoppiceError(error, 'state-failed'),
  );
  assert.deepEqual([database.version, columns(database)], [1, ['CREATE TABLE fruits (name TEXT)']]);
});

test('a database of a newer version is refused and left as it is', (t) => {
  const directory = directoryFor(t);
  const database = new Database(join(directory, 'state.db'));
  database.version = migrations.length + 1;
  database.close();
  assert.throws(
    () => openStore({ directory }),
    (error) => isCoppiceError(error, 'state-failed') && error.hint !== undefined,
  );
  const after = new Database(join(directory, 'state.db'));
  assert.deepEqual([after.version, columns(after)], [migrations.length + 1, []]);
  after.close();
});

/** What a version wrote, and what stands in place of what it did not know yet. */
function writtenBy(version: number): Readonly<Record<string, unknown>> {
  const written = JSON.parse(readFileSync(new URL(`version-${version}.json`, fixtures), 'utf8'));
  const activities = written.activities.map((activity: Omit<Activity, 'revision'>) => ({ revision: activity.sequence, ...activity }));
  return { backups: [], trash: [], ...written, activities };
}

for (const { version } of migrations) {
  test(`what version ${version} wrote is still there`, (t) => {
    const store = openStore({ directory: olderDirectory(t, version) });
    t.after(() => store.close());
    const seen = {
      projects: store.projects.list(),
      environments: store.environments.list(),
      deployments: store.deployments.listProject('shop'),
      intents: store.intents.list(),
      activities: store.activities.list({}),
      backups: store.backups.list({}),
      trash: store.trash.list({}),
      log: store.activities.log('a_aaaaaaaaaaaaaaaa'),
      secrets: store.secrets.values(),
      address: store.environments.addressOffset('e_aaaaaaaaaaaaaaaa' as EnvironmentId, 'web' as never),
      token: store.tokens.verify('coppice_version-1'),
    };
    assert.deepEqual(JSON.parse(JSON.stringify(seen)), writtenBy(version));
    const revision = Math.max(...seen.activities.map((activity) => activity.revision));
    const next = { kind: 'push', project: 'shop', environment: undefined, deployment: undefined, actor: 'ann', cause: 'push' } as const;
    assert.equal(store.activities.create(next).revision, revision + 1);
  });

  test(`the schema of version ${version} is the one that was released`, (t) => {
    const released = databaseFor(t);
    released.script(readFileSync(new URL(`version-${version}.sql`, fixtures), 'utf8'));
    const current = databaseFor(t);
    migrate(current, migrations.slice(0, version));
    assert.deepEqual(columns(current), columns(released));
  });
}
