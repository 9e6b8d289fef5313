import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { holdDirectory, whoHolds } from './single-server.ts';

function socketIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-hold-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'server.sock');
}

/** Something else that listens there, and does with a connection what it likes. */
async function listening(t: TestContext, path: string, answer: (socket: Socket) => void): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

test('who holds a directory says its process id, and keeps others out until it lets go', async (t) => {
  const path = socketIn(t);
  const hold = await holdDirectory(path);
  assert.deepEqual(await whoHolds(path), { pid: process.pid });
  await assert.rejects(holdDirectory(path), {
    code: 'conflict',
    message: `another server (process ${process.pid}) uses this data directory`,
  });
  await new Promise((resolve) => hold.close(resolve));
  assert.equal(await whoHolds(path), undefined);
});

test('nobody holds a directory without a socket, or with one that a dead server left', async (t) => {
  const path = socketIn(t);
  assert.equal(await whoHolds(path), undefined);
  writeFileSync(path, '');
  assert.equal(await whoHolds(path), undefined);
  const hold = await holdDirectory(path);
  assert.deepEqual(await whoHolds(path), { pid: process.pid });
  hold.close();
});

for (const [what, text] of [
  ['nothing', ''],
  ['no number', 'hello\n'],
  ['a number and more', '12 monkeys\n'],
  ['the number of every process of the group', '0\n'],
  ['a number below it', '-7\n'],
] as const) {
  test(`a holder that answers ${what} holds, as a process that is not known`, async (t) => {
    const path = socketIn(t);
    await listening(t, path, (socket) => socket.end(text));
    assert.deepEqual(await whoHolds(path), { pid: undefined });
    await assert.rejects(holdDirectory(path), { code: 'conflict', message: 'another server (process unknown) uses this data directory' });
  });
}

test('a holder that answers nothing at all, or breaks off, holds too', async (t) => {
  const [silent, broken] = [socketIn(t), socketIn(t)];
  await listening(t, silent, () => undefined);
  await listening(t, broken, (socket) => socket.destroy());
  assert.deepEqual([await whoHolds(silent, 20), await whoHolds(broken)], [{ pid: undefined }, { pid: undefined }]);
});
