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
import { hostDisk } from './disk.ts';
import { copyStorage, reflinkStorage } from './folder-storage.ts';
import { openGround } from './ground-fixture.ts';
import { environmentId, replacement, snapshotContract, snapshotId } from './snapshot.contract.ts';
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
const target = volumeRef('bb', 'db', 'data');
const copy = { environment: source.environment, id: snapshotId('from') };
const failsWith = (code: ErrorCode) => (error: unknown) => isCoppiceError(error, code);

async function open(directory: string, storage: VolumeStorage, serverId = 's_1'): Promise<Volumes> {
  mkdirSync(directory, { recursive: true });
  const sets = new VolumeSets({ directory, serverId, storage, disk: hostDisk });
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

  snapshotContract(name, () => open(freshDirectory(), storage));

  test(`${name}: owners, modes, times, attributes, links, holes and special files are the same in a copy`, async () => {
    const volumes = await open(freshDirectory(), storage);
    await fill(await volumes.ensure(source, '4321:1234'));
    const before = describeTree(join(volumes.path(source), '../..'));
    assert.deepEqual(before.get('db/data/folder/file'), describedFile);
    await volumes.snapshot(copy);
    await volumes.replace(replacement({ keep: true }));
    assert.deepEqual(describeTree(join(volumes.path(target), '../..')), before);
    assert.deepEqual(describeTree(join(volumes.path(source), '../..')), before);
    await volumes.replace(replacement({ environment: environmentId('cc') }));
    assert.deepEqual(describeTree(join(volumes.path({ ...source, environment: environmentId('cc') }), '../..')), before);
  });

  test(`${name}: what is written on one side is not seen on the other`, async () => {
    const volumes = await open(freshDirectory(), storage);
    const from = await volumes.ensure(source, '1:1');
    writeFileSync(join(from, 'file'), 'as it was');
    await volumes.snapshot(copy);
    writeFileSync(join(from, 'file'), 'the source went on');
    await volumes.replace(replacement({ keep: true }));
    const to = volumes.path(target);
    appendFileSync(join(to, 'file'), ', and more');
    await volumes.replace(replacement({ generation: 2, environment: source.environment }));
    assert.deepEqual(
      [readFileSync(join(from, 'file'), 'utf8'), readFileSync(join(to, 'file'), 'utf8')],
      ['as it was', 'as it was, and more'],
    );
    await volumes.replace(replacement({ generation: 2, from: snapshotId('aside'), aside: snapshotId('other') }));
    assert.equal(readFileSync(join(to, 'file'), 'utf8'), 'the source went on');
  });

  test(`${name}: a kept copy lies beside the sets, and its marker says whose data it is, of which generation`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory, storage);
    const marker = (name: string): unknown => JSON.parse(readFileSync(join(directory, name, 'owner.json'), 'utf8'));
    await volumes.ensure(source, '1:1');
    await volumes.snapshot(copy);
    await volumes.ensure(target, '1:1');
    assert.deepEqual(readdirSync(directory).sort(), ['.kept-b_from', 'e_aa', 'e_bb']);
    assert.deepEqual(marker('.kept-b_from'), { v: 1, server: 's_1', environment: 'e_aa', generation: 0 });
    await volumes.replace(replacement({ generation: 7 }));
    assert.deepEqual(readdirSync(directory).sort(), ['.kept-b_aside', 'e_aa', 'e_bb']);
    assert.deepEqual(marker('.kept-b_aside'), { v: 1, server: 's_1', environment: 'e_bb', generation: 0 });
    assert.deepEqual(marker('e_bb'), { v: 1, server: 's_1', environment: 'e_bb', generation: 7 });
  });

  test(`${name}: a marker that knows no generations is of generation 0`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory, storage);
    await volumes.ensure(source, '1:1');
    writeFileSync(join(directory, 'e_aa/owner.json'), '{"environment":"e_aa","server":"s_1","v":1}\n');
    assert.deepEqual([await volumes.generation(source.environment), [...(await volumes.list()).keys()]], [0, ['e_aa']]);
  });

  test(`${name}: nothing is copied from the set of another server, nor is it replaced, nor its copy used or deleted`, async () => {
    const directory = freshDirectory();
    const others = await open(directory, storage, 's_other');
    await others.ensure(source, '1:1');
    await others.snapshot(copy);
    const volumes = await open(directory, storage);
    await volumes.ensure(target, '1:1');
    await volumes.snapshot({ environment: target.environment, id: snapshotId('own') });
    await assert.rejects(volumes.snapshot({ ...copy, id: snapshotId('x') }), failsWith('not-found'));
    await assert.rejects(volumes.snapshot({ ...copy, environment: target.environment }), failsWith('conflict'));
    await assert.rejects(volumes.replace(replacement()), failsWith('not-found'));
    await assert.rejects(volumes.sync(source.environment), failsWith('not-found'));
    const { environment } = source;
    for (const call of [
      () => volumes.replace(replacement({ environment, from: snapshotId('own') })),
      () => volumes.setAside({ environment, id: snapshotId('x') }),
      () => volumes.moveNode({ environment, from: 'db', to: 'x' }),
      () => volumes.removeNode({ environment, node: 'db' }),
      () => volumes.generation(environment),
      () => volumes.removeSnapshot(copy.id),
      () => volumes.snapshotUsage(copy.id),
    ]) {
      await assert.rejects(call(), failsWith('volume-failed'));
    }
    assert.deepEqual(await volumes.snapshots(), [{ id: 'b_own', environment: 'e_bb' }]);
    assert.deepEqual(readdirSync(directory).sort(), ['.kept-b_from', '.kept-b_own', 'e_aa', 'e_bb']);
    assert.deepEqual(await others.inspect(environment), [{ node: 'db', volume: 'data' }]);
  });

  test(`${name}: a folder that nobody marked is not copied over`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory, storage);
    await volumes.ensure(source, '1:1');
    mkdirSync(join(directory, '.kept-b_from'));
    await assert.rejects(volumes.snapshot(copy), failsWith('conflict'));
    assert.deepEqual([readdirSync(directory).sort(), readdirSync(join(directory, '.kept-b_from'))], [['.kept-b_from', 'e_aa'], []]);
  });

  test(`${name}: a kept copy stays when the server opens again, and a draft of one goes`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory, storage);
    await fill(await volumes.ensure(source, '1:1'));
    await volumes.snapshot(copy);
    await volumes.snapshot({ ...copy, id: snapshotId('cut') });
    renameSync(join(directory, '.kept-b_cut'), join(directory, '.making-e_aa-1'));
    for (const text of ['', '{"v":1,']) {
      const draft = mkdtempSync(join(directory, '.making-e_aa-'));
      writeFileSync(join(draft, 'owner.json'), text);
    }
    const again = await open(directory, storage);
    assert.deepEqual([readdirSync(directory).sort(), (await again.snapshots()).length], [['.kept-b_from', 'e_aa'], 1]);
  });

  test(`${name}: a node is moved to where a cut-off left an empty folder, and not to where there is something else`, async () => {
    const volumes = await open(freshDirectory(), storage);
    const data = join(await volumes.ensure(source, '1:1'), '../..');
    const { environment } = source;
    mkdirSync(join(data, 'store'));
    await volumes.moveNode({ environment, from: 'db', to: 'store' });
    assert.deepEqual(await volumes.inspect(environment), [{ node: 'store', volume: 'data' }]);
    mkdirSync(join(data, 'other/.hidden'), { recursive: true });
    await assert.rejects(volumes.moveNode({ environment, from: 'store', to: 'other' }), /data\/other is in the way/);
  });

  test(`${name}: the deletion of a node's folder that was cut off is finished when the server opens again`, async () => {
    const directory = freshDirectory();
    const data = join(await (await open(directory, storage)).ensure(source, '1:1'), '../..');
    renameSync(join(data, 'db'), join(data, '.deleting-db-1'));
    await open(directory, storage);
    assert.deepEqual(readdirSync(data), []);
  });
}

test('btrfs: subvolumes that an application made are folders in a copy, whole, and what is made of it later holds them too', async () => {
  const directory = join(mkdtempSync(join(btrfs, 'd-')), 'volumes');
  const volumes = await open(directory, btrfsStorage);
  const volume = await volumes.ensure(source, '4321:1234');
  const subvolume = (...argv: string[]) => execFileSync('btrfs', ['subvolume', ...argv], { stdio: 'ignore' });
  mkdirSync(join(volume, 'empty'));
  mkdirSync(join(volume, 'folder'));
  chmodSync(join(volume, 'folder'), 0o2777);
  subvolume('create', join(volume, 'folder/outer'));
  await fill(join(volume, 'folder/outer'));
  subvolume('create', join(volume, 'folder/outer/inner\nline'));
  writeFileSync(join(volume, 'folder/outer/inner\nline/file'), 'x');
  chmodSync(join(volume, 'folder/outer'), 0o2751);
  chownSync(join(volume, 'folder/outer'), 7, 8);
  subvolume('snapshot', '-r', join(volume, 'folder/outer/inner\nline'), join(volume, 'read-only'));
  const data = (name: string): string => join(directory, name, 'data');
  const before = describeTree(data('e_aa'));
  await volumes.snapshot(copy);
  assert.deepEqual([describeTree(data('.kept-b_from')), describeTree(data('e_aa'))], [before, before]);
  assert.equal(execFileSync('btrfs', ['subvolume', 'list', '-o', data('.kept-b_from')], { encoding: 'utf8' }), '');
  await volumes.setAside({ environment: source.environment, id: snapshotId('old') });
  await volumes.replace(replacement({ from: snapshotId('old'), keep: true }));
  assert.deepEqual(describeTree(data('e_bb')), before);
});

test('btrfs: a folder in a volume that is full of subvolumes is deleted with its node', async () => {
  const volumes = await open(join(mkdtempSync(join(btrfs, 'd-')), 'volumes'), btrfsStorage);
  const volume = await volumes.ensure(source, '1:1');
  execFileSync('btrfs', ['subvolume', 'create', join(volume, 'nested')], { stdio: 'ignore' });
  writeFileSync(join(volume, 'nested/file'), 'x');
  execFileSync('btrfs', ['subvolume', 'snapshot', '-r', join(volume, 'nested'), join(volume, 'nested/read-only')], { stdio: 'ignore' });
  await volumes.removeNode({ environment: source.environment, node: 'db' });
  assert.deepEqual(readdirSync(join(volume, '../..')), []);
});

test('a copy for which there is no room fails, and leaves nothing', async () => {
  const directory = join(ground.mountMemory('small', 4 * mebibyte), 'volumes');
  const volumes = await open(directory, copyStorage);
  writeFileSync(join(await volumes.ensure(source, '1:1'), 'file'), Buffer.alloc(3 * mebibyte, 1));
  await assert.rejects(volumes.snapshot(copy), /could not copy|No space left/);
  assert.deepEqual(readdirSync(directory), ['e_aa']);
});

test('where files cannot share blocks, the reflink driver fails instead of copying them', async () => {
  const directory = join(ground.mountMemory('unshared', 4 * mebibyte), 'volumes');
  const volumes = await open(directory, reflinkStorage);
  writeFileSync(join(await volumes.ensure(source, '1:1'), 'file'), 'x');
  await assert.rejects(volumes.snapshot(copy), failsWith('volume-failed'));
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
    await volumes.snapshot(${JSON.stringify(copy)});`;
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
