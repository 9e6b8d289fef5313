import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ErrorCode, isCoppiceError } from '@coppice/model';
import { openGround } from './ground-fixture.ts';
import { missingParts, readHostFacts } from './missing-parts.ts';
import { parseMounts } from './mount-table.ts';
import { openVolumeFileSystem, type VolumeFileSystemOptions } from './open-volume-file-system.ts';
import { type HostVolumes, openVolumes } from './open-volumes.ts';
import { replacement, snapshotId } from './snapshot.contract.ts';
import { takeDownVolumeFileSystem } from './take-down-volume-file-system.ts';
import type { VolumeFileSystem } from './volume-file-system.ts';
import { volumeRef } from './volumes.contract.ts';
import type { Volumes } from './volumes.ts';

const mebibyte = 1024 * 1024;
const ground = openGround();
after(() => ground.remove());

const source = volumeRef('aa', 'db', 'data');
/** EDQUOT, for which Node has no name. */
const overQuota = { errno: -122 };
const failsWith = (code: ErrorCode) => (error: unknown) => isCoppiceError(error, code);

function freshOptions(changes: Partial<VolumeFileSystemOptions> = {}): VolumeFileSystemOptions {
  const folder = mkdtempSync(join(ground.path, 'f-'));
  const growth = { freeShare: 0.2, freeBytes: 0, maxBytes: 512 * mebibyte, hostReserveBytes: 0 };
  return { directory: join(folder, 'volumes'), image: join(folder, 'volumes.btrfs'), sizeBytes: 256 * mebibyte, growth, ...changes };
}

async function open(options: VolumeFileSystemOptions): Promise<VolumeFileSystem> {
  const opened = await openVolumeFileSystem(options);
  assert.notEqual(opened.kind, 'none', JSON.stringify(opened));
  return opened as VolumeFileSystem;
}

const volumesOf = ({ directory }: VolumeFileSystemOptions): Promise<Volumes> => openVolumes({ directory, serverId: 's_1' });

/** Makes a file in a volume of the source's set; resolves with its path. */
async function leaveFile(options: VolumeFileSystemOptions): Promise<string> {
  const path = join(await (await volumesOf(options)).ensure(source, '1:1'), 'file');
  writeFileSync(path, 'kept');
  return path;
}

function mountsAt(directory: string) {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')).filter((mount) => mount.directory === directory);
}

test('where the file system cannot snapshot, one that can is made in a file that has its blocks, and mounted with care', async () => {
  const options = freshOptions();
  const opened = await open(options);
  const volumes = await volumesOf(options);
  const [mount, ...others] = mountsAt(options.directory);
  const image = statSync(options.image);
  assert.deepEqual(
    {
      ...{ kind: opened.kind, driver: volumes.driver.name, others, fileSystem: mount?.fileSystem },
      ...{ options: ['noatime', 'nosuid', 'nodev'].filter((option) => mount?.options.includes(option)) },
      ...{ size: image.size, mode: image.mode & 0o777, reserved: image.blocks * 512 >= 256 * mebibyte },
      directoryMode: statSync(options.directory).mode & 0o777,
    },
    {
      ...{ kind: 'image', driver: 'btrfs', others: [], fileSystem: 'btrfs' },
      options: ['noatime', 'nosuid', 'nodev'],
      ...{ size: 256 * mebibyte, mode: 0o600, reserved: true },
      directoryMode: 0o700,
    },
  );
});

test('a server that ends, in order or killed, leaves it mounted, and the next one finds it', { timeout: 30_000 }, async () => {
  const options = freshOptions();
  const module = JSON.stringify(join(import.meta.dirname, 'open-volume-file-system.ts'));
  const program = `import { openVolumeFileSystem } from ${module};
    await openVolumeFileSystem(${JSON.stringify(options)});
    console.log('open');
    setInterval(() => {}, 1000);`;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const server = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(server, 'exit');
    await once(server.stdout, 'data');
    server.kill(signal);
    await ended;
    assert.equal(mountsAt(options.directory).length, 1);
  }
  await open(options);
  assert.equal(mountsAt(options.directory).length, 1);
});

test('after the machine started anew it is mounted again, with all that was in it', async () => {
  const options = freshOptions();
  const { quotas } = await open(options);
  const file = await leaveFile(options);
  await takeDownVolumeFileSystem(options, 'keep-image');
  assert.deepEqual([mountsAt(options.directory), existsSync(file)], [[], false]);
  const again = await open(options);
  assert.deepEqual([again.quotas, readFileSync(file, 'utf8')], [quotas, 'kept']);
});

test('a directory that holds something is not hidden below a mount: it says so, and nothing is made', async () => {
  const options = freshOptions();
  mkdirSync(join(options.directory, 'e_aa'), { recursive: true });
  const opened = await openVolumeFileSystem(options);
  assert.deepEqual(
    [opened.kind, opened.kind === 'none' && opened.missing.map(({ part }) => part), existsSync(options.image)],
    ['none', ['empty-directory'], false],
  );
});

test('a file that the host could not fill is not made', async () => {
  const options = freshOptions({ sizeBytes: 2 ** 50 });
  const opened = await openVolumeFileSystem(options);
  assert.deepEqual([opened.kind === 'none' && opened.missing.map(({ part }) => part), existsSync(options.image)], [['room'], false]);
});

test('an image that is there and cannot be mounted is an error, not a reason to begin anew in a plain folder', async () => {
  const options = freshOptions();
  await open(options);
  await takeDownVolumeFileSystem(options, 'keep-image');
  mkdirSync(join(options.directory, 'e_aa'));
  await assert.rejects(openVolumeFileSystem(options), /holds the volumes, and cannot be mounted: the directory holds something/);
  const broken = freshOptions();
  writeFileSync(broken.image, Buffer.alloc(mebibyte, 'not a file system'));
  await assert.rejects(openVolumeFileSystem(broken), failsWith('volume-failed'));
  assert.deepEqual(readFileSync(broken.image), Buffer.alloc(mebibyte, 'not a file system'));
});

test('another mount at the directory is neither used instead of the image nor unmounted', async () => {
  const image = freshOptions().image;
  writeFileSync(image, '');
  const options = freshOptions({ image, directory: ground.mountMemory('other', mebibyte) });
  await assert.rejects(openVolumeFileSystem(options), /what is mounted at .*other is coppice-test, not /);
  await assert.rejects(takeDownVolumeFileSystem(options, 'remove-image'), failsWith('volume-failed'));
  assert.deepEqual([mountsAt(options.directory).length, existsSync(image)], [1, true]);
});

test('an image that was deleted while it is mounted is an error that says where the data is', async () => {
  const options = freshOptions();
  await open(options);
  await takeDownVolumeFileSystem(options, 'keep-image');
  await open(options);
  rmSync(options.image);
  await assert.rejects(openVolumeFileSystem(options), /lies in a file that was deleted: .*volumes\.btrfs \(deleted\)/);
});

test('a btrfs of the host is used as it is, without an image and with its quotas as they were', async () => {
  const options = freshOptions({ directory: join(ground.mountBtrfs('own', 256 * mebibyte), 'volumes') });
  const opened = await open(options);
  assert.deepEqual(
    [opened.kind, opened.quotas, await opened.growIfNeeded(), existsSync(options.image)],
    ['own', 'off', { kind: 'blocked', by: 'not an image' }, false],
  );
  assert.equal((await opened.space()).sizeBytes, 256 * mebibyte);
  await takeDownVolumeFileSystem(options, 'remove-image');
  assert.ok(existsSync(options.directory));
});

test('what a server that was killed left of a half-made image is made anew', async () => {
  const options = freshOptions();
  writeFileSync(`${options.image}.making`, 'half');
  await open(options);
  assert.deepEqual(readdirSync(join(options.directory, '..')).sort(), ['volumes', 'volumes.btrfs']);
});

test('it grows in use when little is free, up to its maximum', async () => {
  const options = freshOptions({ growth: { freeShare: 0.5, freeBytes: 0, maxBytes: 384 * mebibyte, hostReserveBytes: 0 } });
  const opened = await open(options);
  const file = await leaveFile(options);
  assert.deepEqual(await opened.growIfNeeded(), { kind: 'enough' });
  writeFileSync(`${file}-large`, Buffer.alloc(130 * mebibyte, 1), { flush: true });
  const handle = openSync(file, 'r');
  assert.deepEqual(await opened.growIfNeeded(), { kind: 'grown', fromBytes: 256 * mebibyte, toBytes: 384 * mebibyte });
  closeSync(handle);
  writeFileSync(`${file}-larger`, Buffer.alloc(70 * mebibyte, 1), { flush: true });
  assert.deepEqual(
    [await opened.growIfNeeded(), (await opened.space()).sizeBytes, readFileSync(file, 'utf8')],
    [{ kind: 'blocked', by: 'maximum' }, 384 * mebibyte, 'kept'],
  );
});

test('a growth that was cut off after the file grew is finished when the server opens again', async () => {
  const options = freshOptions();
  await open(options);
  truncateSync(options.image, 320 * mebibyte);
  assert.equal((await (await open(options)).space()).sizeBytes, 320 * mebibyte);
});

async function limitedVolumes(options: ReturnType<typeof freshOptions>): Promise<HostVolumes> {
  return await openVolumes({ directory: options.directory, serverId: 's_1', fileSystem: await open(options) });
}

test('a set can hold no more than its quota, its copy has its own, and lifting it lets it go on', async () => {
  const options = freshOptions();
  const volumes = await limitedVolumes(options);
  const from = await volumes.ensure(source, '1:1');
  const copy = volumeRef('bb', 'db', 'data');
  const write = (path: string, mebibytes: number) => writeFileSync(path, Buffer.alloc(mebibytes * mebibyte, 1), { flush: true });
  await volumes.setQuota(source.environment, 20 * mebibyte);
  write(join(from, 'file'), 10);
  await volumes.snapshot({ environment: source.environment, id: snapshotId('from') });
  await volumes.replace(replacement({ environment: copy.environment }));
  await volumes.setQuota(copy.environment, 15 * mebibyte);
  assert.throws(() => write(join(from, 'more'), 12), overQuota);
  assert.throws(() => write(join(volumes.path(copy), 'more'), 16), overQuota);
  await volumes.setQuota(source.environment, 'none');
  write(join(from, 'more'), 12);
  await volumes.sync(source.environment);
  const used = await volumes.usage(source.environment);
  assert.ok(used >= 22 * mebibyte && used < 23 * mebibyte, `${used}`);
});

test("with quotas it is known what a set shows and what is a copy's own; subvolumes of applications keep no copy from being made", async () => {
  const options = freshOptions();
  const fileSystem = await open(options);
  const volumes = await openVolumes({ directory: options.directory, serverId: 's_1', fileSystem });
  const { environment } = source;
  const id = snapshotId('from');
  const path = await volumes.ensure(source, '1:1');
  const write = (name: string, mebibytes: number) =>
    writeFileSync(join(path, name), Buffer.alloc(mebibytes * mebibyte, 1), { flush: true });
  await volumes.setQuota(environment, 30 * mebibyte);
  write('file', 12);
  execFileSync('btrfs', ['subvolume', 'create', join(path, 'nested')], { stdio: 'ignore' });
  write('nested/file', 10);
  await volumes.snapshot({ environment, id });
  write('own', 3);
  await volumes.sync(environment);
  const near = async (bytes: Promise<number>) => Math.round((await bytes) / mebibyte);
  const isSimple = fileSystem.quotas === 'simple';
  const before = [await near(volumes.usage(environment)), await near(volumes.snapshotUsage(id))];
  // Simple ones tell neither, so all files are looked at: those of the nested subvolume as well.
  assert.deepEqual(before, isSimple ? [25, 22] : [15, 0]);
  await volumes.removeNode({ environment, node: 'db' });
  await volumes.sync(environment);
  assert.deepEqual([await near(volumes.usage(environment)), await near(volumes.snapshotUsage(id))], [0, 22]);
});

test('there is no quota of a set that is not there', async () => {
  const volumes = await limitedVolumes(freshOptions());
  await assert.rejects(volumes.setQuota(source.environment, mebibyte), failsWith('not-found'));
});

test('free space of data and metadata shrinks as they are used', async () => {
  const options = freshOptions();
  const opened = await open(options);
  const before = await opened.space();
  const file = await leaveFile(options);
  writeFileSync(`${file}-large`, Buffer.alloc(20 * mebibyte, 1), { flush: true });
  await (await volumesOf(options)).sync(source.environment);
  const now = await opened.space();
  const grown = now.data.usedBytes - before.data.usedBytes;
  assert.ok(grown >= 20 * mebibyte && grown < 21 * mebibyte, `${grown}`);
  assert.deepEqual(
    [now.sizeBytes, now.data.freeBytes <= before.data.freeBytes - grown, now.metadata.freeBytes < before.metadata.freeBytes],
    [before.sizeBytes, true, true],
  );
});

test('what fills it with data leaves room to put sets aside and to delete copies, and then copies are made at once', async () => {
  const options = freshOptions();
  await open(options);
  const file = await leaveFile(options);
  const volumes = await volumesOf(options);
  const { environment } = source;
  const other = volumeRef('bb', 'db', 'data');
  await volumes.ensure(other, '1:1');
  await volumes.snapshot({ environment, id: snapshotId('old') });
  execFileSync('fallocate', ['--length', String((await statfs(options.directory)).bavail * 4096 - 16 * mebibyte), `${file}-large`]);
  const rest = Buffer.alloc(17 * mebibyte, 1);
  assert.throws(() => writeFileSync(`${file}-rest`, rest, { flush: true }), { code: 'ENOSPC' });
  await assert.rejects(volumes.snapshot({ environment, id: snapshotId('new') }), /no space/);
  await volumes.setAside({ environment: other.environment, id: snapshotId('aside') });
  await volumes.removeSnapshot(snapshotId('old'));
  rmSync(`${file}-large`);
  await volumes.sync(environment);
  await volumes.snapshot({ environment, id: snapshotId('new') });
  assert.deepEqual(
    (await volumes.snapshots()).map(({ id }) => id),
    [snapshotId('aside'), snapshotId('new')],
  );
});

test('taking it down unmounts and detaches it; the file goes only when asked; doing it again does nothing', async () => {
  const options = freshOptions();
  await open(options);
  await takeDownVolumeFileSystem(options, 'keep-image');
  await takeDownVolumeFileSystem(options, 'keep-image');
  assert.deepEqual([mountsAt(options.directory), existsSync(options.image)], [[], true]);
  await takeDownVolumeFileSystem(options, 'remove-image');
  await takeDownVolumeFileSystem(options, 'remove-image');
  assert.equal(existsSync(options.image), false);
  await takeDownVolumeFileSystem(freshOptions(), 'remove-image');
});

test('what is in use is not taken down: it stays mounted, and its file stays', async () => {
  const options = freshOptions();
  await open(options);
  const handle = openSync(await leaveFile(options), 'r');
  await assert.rejects(takeDownVolumeFileSystem(options, 'remove-image'), failsWith('volume-failed'));
  assert.deepEqual([mountsAt(options.directory).length, existsSync(options.image)], [1, true]);
  closeSync(handle);
  await takeDownVolumeFileSystem(options, 'remove-image');
  assert.equal(existsSync(options.image), false);
});

test('a file that only another mount namespace still has mounted, as a container has, is not removed', { timeout: 30_000 }, async () => {
  const options = freshOptions();
  await open(options);
  const argv = ['--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'echo ready && exec sleep 600'];
  const container = spawn('setpriv', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(container, 'exit');
  await once(container.stdout, 'data');
  await assert.rejects(takeDownVolumeFileSystem(options, 'remove-image'), /is still in use through \/dev\/loop/);
  assert.equal(existsSync(options.image), true);
  container.kill('SIGKILL');
  await ended;
  await takeDownVolumeFileSystem(options, 'remove-image');
  assert.equal(existsSync(options.image), false);
});

test('this machine lacks nothing', async () => {
  const options = freshOptions();
  mkdirSync(options.directory);
  assert.deepEqual(missingParts(await readHostFacts(options), 1), []);
});
