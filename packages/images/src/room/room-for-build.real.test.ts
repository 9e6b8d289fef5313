import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createRoomForBuild } from './room-for-build.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-room-'));
after(async () => {
  execFileSync('umount', [root]);
  await rm(root, { recursive: true, force: true });
});

test('room goes as a real disk fills, and comes back as it is emptied', async () => {
  const mebibyte = 1024 ** 2;
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=1000', 'coppice-room', root]);
  const needs = { hostBytes: 32 * mebibyte, hostFiles: 500 };
  const room = createRoomForBuild({ folders: [{ path: join(root, 'data'), name: 'data' }], needs });
  assert.deepEqual(await room(), { kind: 'enough' });
  execFileSync('fallocate', ['--length', '48M', join(root, 'filler')]);
  const where = `${join(root, 'data')} (data)`;
  assert.deepEqual(await room(), { kind: 'short', shortages: [{ where, kind: 'space', free: 16 * mebibyte, needed: 32 * mebibyte }] });
  await rm(join(root, 'filler'));
  assert.deepEqual(await room(), { kind: 'enough' });
  execFileSync(
    'mkdir',
    Array.from({ length: 600 }, (_, index) => join(root, String(index))),
  );
  const found = await room();
  assert.deepEqual(found.kind === 'short' && found.shortages.map(({ kind }) => kind), ['files']);
});
