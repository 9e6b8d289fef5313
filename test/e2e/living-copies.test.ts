import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BackupView, TrashView } from '@coppice/control';
import { TestServer } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

async function write(host: string, text: string): Promise<void> {
  const answer = await server.request(host, '/entries', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ author: 'Ada', message: text }).toString(),
  });
  assert.ok(answer.status < 400, `${answer.status} ${answer.body}`);
}

async function holds(host: string, text: string): Promise<boolean> {
  const { status, body } = await server.request(host);
  assert.equal(status, 200, body);
  return body.includes(text);
}

test('a new branch begins with a copy of its parent, and neither changes the other', async () => {
  const clone = await server.project('book', 'guestbook');
  await clone.deploy();
  const [main, branch] = ['main.book.localhost', 'feature.book.localhost'];
  await write(main, 'from main');
  const { code, output } = await clone.push(['HEAD:refs/heads/feature']);
  assert.equal(code, 0, output);
  assert.match(output, /begins with a copy of the data of main/);
  assert.equal(await holds(branch, 'from main'), true);
  await write(branch, 'from the branch');
  assert.equal(await holds(main, 'from the branch'), false);
  await write(main, 'later');
  assert.equal(await holds(branch, 'later'), false);
});

test('a backup brings back what was there, and what it replaced is one itself', async () => {
  const host = 'main.book.localhost';
  const { id } = await server.read<{ id: string }>('backup', 'create', '--project', 'book', '--env', 'main');
  await write(host, 'after the backup');
  const restored = await server.cli('backup', 'restore', id, '--project', 'book');
  assert.equal(restored.code, 0, restored.stderr);
  assert.deepEqual([await holds(host, 'later'), await holds(host, 'after the backup')], [true, false]);
  const backups = await server.read<BackupView[]>('backup', 'list', '--project', 'book');
  const replaced = backups.find(({ reason }) => reason === `before the restore of ${id}`);
  assert.ok(replaced);
  await server.cli('backup', 'restore', replaced.id, '--project', 'book');
  assert.equal(await holds(host, 'after the backup'), true);
});

test('a branch takes the data of its parent again', async () => {
  const refused = await server.cli('env', 'sync', 'feature', '--project', 'book');
  assert.equal(refused.code, 1);
  const synced = await server.cli('env', 'sync', 'feature', '--force', '--project', 'book');
  assert.equal(synced.code, 0, synced.stderr);
  assert.deepEqual(
    [await holds('feature.book.localhost', 'after the backup'), await holds('feature.book.localhost', 'from the branch')],
    [true, false],
  );
});

test('a deleted branch comes back from the trash with its data', async () => {
  await write('feature.book.localhost', 'soon deleted');
  const clone = await server.clone('book');
  const { code, output } = await clone.push([':refs/heads/feature']);
  assert.equal(code, 0, output);
  const [deleted] = await server.read<TrashView[]>('trash', 'list', '--project', 'book');
  assert.equal(deleted?.environment, 'feature');
  const restored = await server.cli('trash', 'restore', deleted.id, '--project', 'book');
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal(await holds('feature.book.localhost', 'soon deleted'), true);
});
