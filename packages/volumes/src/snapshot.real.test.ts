import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type ErrorCode, isCoppiceError } from '@coppice/model';
import { btrfsStorage } from './btrfs-storage.ts';
import { cloneContract } from './clone.contract.ts';
import { copyStorage, reflinkStorage } from './folder-storage.ts';
import { openGround } from './ground-fixture.ts';
import { describeTree, setAttribute } from './tree-fixture.ts';
import { VolumeSets } from './volume-sets.ts';
import type { VolumeStorage } from './volume-storage.ts';
import { volumeRef } from './volumes.contract.ts';
import type { Volumes } from './volumes.ts';
import { volumesIn } from './volumes-in.ts';

const mebibyte = 1024 * 1024;
const ground = openGround();
after(() => ground.remove());
const plain = join(ground.path, 'plain');
mkdirSync(plain);
// btrfs shares blocks of files as XFS does, so the reflink driver runs on it too.
const btrfs = ground.mountBtrfs('btrfs', 256 * mebibyte);

const source = volumeRef('aa', 'db', 'data');
const pair = { from: source.environment, to: volumeRef('bb', 'x', 'x').environment };
const failsWith = (code: ErrorCode) => (error: unknown) => isCoppiceError(error, code);

async function open(directory: string, storage: VolumeStorage, serverId = 's_1'): Promise<Volumes> {
  mkdirSync(directory, { recursive: true });
  const sets = new VolumeSets({ directory, serverId, storage });
  await sets.sweep();
  return volumesIn(sets, storage.driver);
}

for (const [base, storage] of [
  [plain, copyStorage],
  [btrfs, reflinkStorage],
  [btrfs, btrfsStorage],
] as const) {
  const { name } = storage.driver;
  const freshDirectory = (): string => join(mkdtempSync(join(base, 'd-')), 'volumes');

  cloneContract(name, () => open(freshDirectory(), storage));

  test(`${name}: owners, modes, times, attributes, links, holes and special files are the same in a copy`, async () => {
    const volumes = await open(freshDirectory(), storage);
    await fill(await volumes.ensure(source, '4321:1234'));
    const before = describeTree(join(volumes.path(source), '../..'));
    assert.deepEqual(before.get('db/data/folder/file'), describedFile);
    await volumes.clone(pair);
    assert.deepEqual(describeTree(join(volumes.path({ ...source, environment: pair.to }), '../..')), before);
    assert.deepEqual(describeTree(join(volumes.path(source), '../..')), before);
  });

  test(`${name}: what is written on one side is not seen on the other`, async () => {
    const volumes = await open(freshDirectory(), storage);
    const from = await volumes.ensure(source, '1:1');
    writeFileSync(join(from, 'file'), 'as it was');
    await volumes.clone(pair);
    const to = volumes.path({ ...source, environment: pair.to });
    writeFileSync(join(from, 'file'), 'the source went on');
    appendFileSync(join(to, 'file'), ', and more');
    assert.deepEqual(
      [readFileSync(join(from, 'file'), 'utf8'), readFileSync(join(to, 'file'), 'utf8')],
      ['the source went on', 'as it was, and more'],
    );
  });

  test(`${name}: the marker of a copy names the copy`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory, storage);
    await volumes.ensure(source, '1:1');
    await volumes.clone(pair);
    assert.deepEqual(
      [readdirSync(directory).sort(), JSON.parse(readFileSync(join(directory, 'e_bb/owner.json'), 'utf8'))],
      [['e_aa', 'e_bb'], { v: 1, server: 's_1', environment: 'e_bb' }],
    );
  });

  test(`${name}: nothing is copied from the set of another server, nor over it`, async () => {
    const directory = freshDirectory();
    await (await open(directory, storage, 's_other')).ensure(source, '1:1');
    const volumes = await open(directory, storage);
    await assert.rejects(volumes.clone(pair), failsWith('not-found'));
    await volumes.ensure({ ...source, environment: pair.to }, '1:1');
    await assert.rejects(volumes.clone({ from: pair.to, to: pair.from }), failsWith('conflict'));
    await assert.rejects(volumes.sync(pair.from), failsWith('not-found'));
    assert.deepEqual(readdirSync(directory).sort(), ['e_aa', 'e_bb']);
  });

  test(`${name}: a folder that nobody marked is not copied over`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory, storage);
    await volumes.ensure(source, '1:1');
    mkdirSync(join(directory, 'e_bb'));
    await assert.rejects(volumes.clone(pair), failsWith('conflict'));
    assert.deepEqual([readdirSync(directory).sort(), readdirSync(join(directory, 'e_bb'))], [['e_aa', 'e_bb'], []]);
  });

  test(`${name}: a copy that was cut off before its rename is swept away whole`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory, storage);
    await fill(await volumes.ensure(source, '1:1'));
    await volumes.clone(pair);
    renameSync(join(directory, 'e_bb'), join(directory, '.making-e_bb-1'));
    await open(directory, storage);
    assert.deepEqual(readdirSync(directory), ['e_aa']);
  });
}

test('btrfs: a set with a nested subvolume is refused, and nothing is made or lost', async () => {
  const directory = join(mkdtempSync(join(btrfs, 'd-')), 'volumes');
  const volumes = await open(directory, btrfsStorage);
  const nested = join(await volumes.ensure(source, '1:1'), 'nested');
  execFileSync('btrfs', ['subvolume', 'create', nested], { stdio: 'ignore' });
  writeFileSync(join(nested, 'file'), 'kept');
  await assert.rejects(volumes.clone(pair), /e_aa\/data holds 1 nested subvolumes/);
  assert.deepEqual([readdirSync(directory), readFileSync(join(nested, 'file'), 'utf8')], [['e_aa'], 'kept']);
});

test('a copy for which there is no room fails, and leaves nothing', async () => {
  const directory = join(ground.mountMemory('small', 4 * mebibyte), 'volumes');
  const volumes = await open(directory, copyStorage);
  writeFileSync(join(await volumes.ensure(source, '1:1'), 'file'), Buffer.alloc(3 * mebibyte, 1));
  await assert.rejects(volumes.clone(pair), /could not copy|No space left/);
  assert.deepEqual(readdirSync(directory), ['e_aa']);
});

test('where files cannot share blocks, the reflink driver fails instead of copying them', async () => {
  const directory = join(ground.mountMemory('unshared', 4 * mebibyte), 'volumes');
  const volumes = await open(directory, reflinkStorage);
  writeFileSync(join(await volumes.ensure(source, '1:1'), 'file'), 'x');
  await assert.rejects(volumes.clone(pair), failsWith('volume-failed'));
  assert.deepEqual(readdirSync(directory), ['e_aa']);
});

test('a server that is killed takes its copy with it, and the next one sweeps up', { timeout: 30_000 }, async () => {
  const directory = join(mkdtempSync(join(plain, 'd-')), 'volumes');
  await (await open(directory, copyStorage)).ensure(source, '1:1');
  const programs = mkdtempSync(join(plain, 'programs-'));
  // Copies a little, says who it is, and never ends.
  const endless =
    '#!/bin/sh\nfor to; do :; done\nmkdir "$to" && echo x > "$to/file" && echo "$$" > "$PIDS/new" && mv "$PIDS/new" "$PIDS/pid"\nexec sleep 600\n';
  writeFileSync(join(programs, 'cp'), endless, { mode: 0o755 });
  const program = `import { openVolumes } from ${JSON.stringify(join(import.meta.dirname, 'open-volumes.ts'))};
    const volumes = await openVolumes({ directory: ${JSON.stringify(directory)}, serverId: 's_1' });
    process.env.PATH = ${JSON.stringify(programs)} + ':' + process.env.PATH;
    await volumes.clone(${JSON.stringify(pair)});`;
  const env = { ...process.env, PIDS: programs };
  const server = spawn(process.execPath, ['--input-type=module', '--eval', program], { env, stdio: 'ignore' });
  const ended = once(server, 'exit');
  while (!existsSync(join(programs, 'pid'))) await wait(20);
  const copying = Number(readFileSync(join(programs, 'pid'), 'utf8'));
  assert.deepEqual([existsSync(`/proc/${copying}`), readdirSync(directory).length], [true, 2]);
  server.kill('SIGKILL');
  await ended;
  while (isRunning(copying)) await wait(20);
  const volumes = await open(directory, copyStorage);
  assert.deepEqual([readdirSync(directory), [...(await volumes.list()).keys()]], [['e_aa'], ['e_aa']]);
});

/** A process that ended and was not asked for its result yet runs no more. */
function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, 'utf8'));
}

/** That the description holds what it shall compare. */
const describedFile = {
  attributes: ['user.origin=somewhere'],
  content: createHash('sha256').update(Buffer.alloc(300_000, 'coppice')).digest('hex'),
  target: undefined,
  ...{ mode: 0o104755n, uid: 1001n, gid: 1002n, rdev: 0n, mtimeNs: 1_100_000_000_015_625_000n },
  ...{ size: 300_000n, nlink: 2n, sameAs: 'db/data/folder/file', hasHoles: false },
};

/** One of everything that an application can leave in a volume. */
async function fill(volume: string): Promise<void> {
  const at = (name: string): string => join(volume, name);
  mkdirSync(at('folder'), { mode: 0o700 });
  writeFileSync(at('folder/file'), Buffer.alloc(300_000, 'coppice'));
  setAttribute(volume, 'folder', 'trusted.secret=x');
  setAttribute(volume, 'folder/file', 'user.origin=somewhere');
  linkSync(at('folder/file'), at('second-name'));
  symlinkSync('/nowhere', at('dangling'));
  symlinkSync('folder', at('link'));
  writeFileSync(at('line\nbreak'), '', { mode: 0o400 });
  writeFileSync(at('-rf'), 'no option');
  writeFileSync(at('holes'), 'begin');
  truncateSync(at('holes'), 20 * mebibyte);
  appendFileSync(at('holes'), 'end');
  execFileSync('mkfifo', [at('pipe')]);
  execFileSync('mknod', [at('device'), 'c', '1', '3']);
  await leaveSocket(at('socket'));
  chownSync(at('folder/file'), 1001, 1002);
  chmodSync(at('folder/file'), 0o4755);
  chmodSync(at('folder'), 0o3771);
  for (const name of ['folder/file', 'holes', 'folder']) utimesSync(at(name), 1_000_000_000.123456, 1_100_000_000.015625);
}

/** A socket's file stays where its server did not end in order. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}-live`);
  await once(server, 'listening');
  renameSync(`${path}-live`, path);
  server.close();
  await once(server, 'close');
}
