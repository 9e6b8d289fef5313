import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openDataDirectory, writeAdminToken } from './data-directory.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-data-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'deep', 'data');
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test('a directory is made with what identifies the server, which others cannot read', (t) => {
  const { root, serverId, registryToken, at } = openDataDirectory(folderFor(t));
  assert.match(serverId, /^[0-9a-f]{12}$/);
  assert.match(registryToken, /^[\w-]{32}$/);
  assert.deepEqual(
    [readFileSync(at('server-id'), 'utf8'), readFileSync(at('registry-token'), 'utf8')],
    [`${serverId}\n`, `${registryToken}\n`],
  );
  assert.deepEqual([root, at('server-id'), at('registry-token')].map(modeOf), ['711', '600', '600']);
});

test('opened again it is the same server', (t) => {
  const folder = folderFor(t);
  const { at: _first, ...first } = openDataDirectory(folder);
  const { at: _second, ...second } = openDataDirectory(folder);
  assert.deepEqual(second, first);
});

test('two directories are two servers', (t) => {
  const [one, other] = [openDataDirectory(folderFor(t)), openDataDirectory(folderFor(t))];
  assert.notEqual(one.serverId, other.serverId);
  assert.notEqual(one.registryToken, other.registryToken);
});

test('a file that was left empty by a crash is written anew', (t) => {
  const folder = folderFor(t);
  const { at } = openDataDirectory(folder);
  for (const name of ['server-id', 'registry-token', 'admin-token']) writeFileSync(at(name), '');
  const { serverId, registryToken } = openDataDirectory(folder);
  assert.match(serverId, /^[0-9a-f]{12}$/);
  assert.match(registryToken, /^[\w-]{32}$/);
  assert.equal(
    readFileSync(
      writeAdminToken(openDataDirectory(folder), () => 'new'),
      'utf8',
    ),
    'new\n',
  );
});

test('an id that is none is refused: what this server owns carries the right one', (t) => {
  const folder = folderFor(t);
  const { at } = openDataDirectory(folder);
  writeFileSync(at('server-id'), 'web-1\n');
  assert.throws(() => openDataDirectory(folder), {
    code: 'state-failed',
    message: `${at('server-id')} does not hold what a server wrote there`,
  });
});

test('the administrator’s token is issued once, into a file of its owner', (t) => {
  const directory = openDataDirectory(folderFor(t));
  const issued: string[] = [];
  const issue = (): string => {
    issued.push('token');
    return `token ${issued.length}`;
  };
  const paths = [writeAdminToken(directory, issue), writeAdminToken(directory, issue)];
  assert.deepEqual(paths, [directory.at('admin-token'), directory.at('admin-token')]);
  assert.deepEqual([readFileSync(directory.at('admin-token'), 'utf8'), issued.length], ['token 1\n', 1]);
  assert.equal(modeOf(directory.at('admin-token')), '600');
});

test('the mode of a directory that is there already is left as it is', (t) => {
  const folder = folderFor(t);
  openDataDirectory(folder);
  chmodSync(folder, 0o750);
  assert.equal(modeOf(openDataDirectory(folder).root), '750');
});
