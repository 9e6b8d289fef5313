import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openGround } from './ground-fixture.ts';
import { openVolumeFileSystem, type VolumeFileSystemOptions } from './open-volume-file-system.ts';
import { takeDownVolumeFileSystem } from './take-down-volume-file-system.ts';
import type { VolumeFileSystem } from './volume-file-system.ts';

const mebibyte = 1024 * 1024;
const ground = openGround();
after(() => ground.remove());

/** On a host of its own, so that it can be filled. */
function optionsOn(host: string, changes: Partial<VolumeFileSystemOptions> = {}): VolumeFileSystemOptions {
  const growth = { freeShare: 0.2, freeBytes: 0, maxBytes: 1024 * mebibyte, hostReserveBytes: 0 };
  return { directory: join(host, 'volumes'), image: join(host, 'volumes.btrfs'), sizeBytes: 256 * mebibyte, growth, ...changes };
}

async function open(options: VolumeFileSystemOptions): Promise<VolumeFileSystem> {
  const opened = await openVolumeFileSystem(options);
  assert.notEqual(opened.kind, 'none', JSON.stringify(opened));
  return opened as VolumeFileSystem;
}

const write = (path: string, mebibytes: number) => writeFileSync(path, Buffer.alloc(mebibytes * mebibyte, 1), { flush: true });

function fill(host: string): string {
  const filler = join(host, 'filler');
  const { bavail, bsize } = statfsSync(host);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  assert.equal(statfsSync(host).bavail, 0);
  return filler;
}

test('a host that is full takes nothing from the volumes: they go on, are opened again, and only do not grow', async () => {
  const host = ground.mountMemory('full-host', 700 * mebibyte);
  const options = optionsOn(host);
  const opened = await open(options);
  const kept = join(options.directory, 'kept');
  const filler = fill(host);
  write(kept, 180);
  assert.deepEqual(await opened.growIfNeeded(), { kind: 'blocked', by: 'host' });
  await takeDownVolumeFileSystem(options, 'keep-image');
  const again = await open(options);
  write(join(options.directory, 'more'), 5);
  assert.equal(readFileSync(kept).length, 180 * mebibyte);
  assert.throws(() => write(join(options.directory, 'much'), 60), { code: 'ENOSPC' });
  rmSync(join(options.directory, 'much'));
  rmSync(filler);
  assert.equal((await again.growIfNeeded()).kind, 'grown');
  write(join(options.directory, 'much'), 60);
  await takeDownVolumeFileSystem(options, 'remove-image');
});

test('an image that nobody else would see is taken away again, and folders remain', async () => {
  const host = ground.mountMemory('hidden', 400 * mebibyte);
  let asked = '';
  const isSeen = async (folder: string): Promise<boolean> => {
    asked = folder;
    assert.ok(existsSync(folder));
    return false;
  };
  const options = optionsOn(host, { isSeen });
  const opened = await openVolumeFileSystem(options);
  assert.deepEqual(opened.kind === 'none' && opened.missing.map(({ part }) => part), ['visible-mount']);
  assert.deepEqual([asked.startsWith(`${options.directory}/`), existsSync(options.image), existsSync(asked)], [true, false, false]);
  assert.equal((await open(optionsOn(host))).kind, 'image');
  await takeDownVolumeFileSystem(options, 'remove-image');
});

test('an image that is there is mounted though nobody else would see it: its data would seem lost', async () => {
  const host = ground.mountMemory('seen-before', 400 * mebibyte);
  const options = optionsOn(host);
  await open(options);
  mkdirSync(join(options.directory, 'e_aa'));
  await takeDownVolumeFileSystem(options, 'keep-image');
  assert.equal((await open({ ...options, isSeen: async () => false })).kind, 'image');
  assert.ok(existsSync(join(options.directory, 'e_aa')));
  await takeDownVolumeFileSystem(options, 'remove-image');
});

test('whoever asks whether they are seen and gets no answer does without an image, and keeps nothing of one', async () => {
  const host = ground.mountMemory('unasked', 400 * mebibyte);
  const opened = await openVolumeFileSystem(optionsOn(host, { isSeen: () => Promise.reject(new Error('no answer')) }));
  assert.deepEqual(opened.kind === 'none' && opened.missing.map(({ part, message }) => [part, message]), [
    ['image', 'an image cannot be made and mounted: no answer'],
  ]);
  assert.deepEqual(readdirSync(host, { recursive: true }), ['volumes']);
});

for (const program of ['fallocate', 'mkfs.btrfs', 'mount']) {
  test(`where ${program} fails there is no image, what failed is told, and nothing is left`, async () => {
    const host = ground.mountMemory(`no-${program}`, 400 * mebibyte);
    const opened = await withProgram(program, 'echo not today >&2; exit 1', () => openVolumeFileSystem(optionsOn(host)));
    assert.deepEqual(opened.kind === 'none' && opened.missing.map(({ part }) => part), ['image']);
    assert.match(JSON.stringify(opened), /not today/);
    assert.deepEqual(readdirSync(host, { recursive: true }), ['volumes']);
  });
}

/** Lets a shell script stand before a program of the host. */
async function withProgram<Result>(name: string, script: string, work: () => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(ground.path, 'programs-'));
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const path = process.env['PATH'];
  process.env['PATH'] = `${folder}:${path}`;
  try {
    return await work();
  } finally {
    process.env['PATH'] = path;
  }
}
