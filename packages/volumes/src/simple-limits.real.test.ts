import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { SnapshotId } from '@coppice/model';
import { openGround } from './ground-fixture.ts';
import { openVolumeFileSystem } from './open-volume-file-system.ts';
import { type HostVolumes, openVolumes } from './open-volumes.ts';
import { takeDownVolumeFileSystem } from './take-down-volume-file-system.ts';
import { volumeRef } from './volumes.contract.ts';

const mebibyte = 1024 * 1024;
/** EDQUOT, for which Node has no name. */
const overQuota = { errno: -122 };
const ground = openGround();
after(() => ground.remove());

const source = volumeRef('aa', 'db', 'data');
const copy = volumeRef('bb', 'db', 'data');
const snapshot = (name: string): SnapshotId => `b_${name.padStart(16, '0')}` as SnapshotId;
const write = (path: string, mebibytes: number): void => writeFileSync(path, Buffer.alloc(mebibytes * mebibyte, 1), { flush: true });

/** Volumes with quotas as the kernel counts them best, and a set with 20 MiB that may hold 30. */
async function withVolumes(work: (volumes: HostVolumes, path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(ground.path, 'l-'));
  const place = { directory: join(folder, 'volumes'), image: join(folder, 'volumes.btrfs') };
  const growth = { freeShare: 0.1, freeBytes: 0, maxBytes: 512 * mebibyte, hostReserveBytes: 0 };
  const fileSystem = await openVolumeFileSystem({ ...place, sizeBytes: 512 * mebibyte, growth });
  const volumes = await openVolumes({ directory: place.directory, serverId: 's_1', fileSystem });
  const path = await volumes.ensure(source, '1:1');
  write(join(path, 'file'), 20);
  await volumes.setQuota(source.environment, 30 * mebibyte);
  await volumes.sync(source.environment);
  await volumes.adjustLimits();
  await work(volumes, path);
  await takeDownVolumeFileSystem(place, 'remove-image');
}

/** Another environment with the data of the source. */
async function clone(volumes: HostVolumes): Promise<string> {
  await volumes.snapshot({ environment: source.environment, id: snapshot('c') });
  const change = { environment: copy.environment, generation: 1, from: snapshot('c'), keep: false, aside: snapshot('d') };
  await volumes.replace(change);
  await volumes.setQuota(copy.environment, 30 * mebibyte);
  await volumes.sync(source.environment);
  await volumes.adjustLimits();
  return volumes.path(copy);
}

test('what a set had before it was limited counts', async () => {
  await withVolumes(async (_volumes, path) => {
    assert.throws(() => write(join(path, 'more'), 12), overQuota);
    rmSync(join(path, 'more'));
    write(join(path, 'more'), 8);
  });
});

test('what a copy shares with its source counts in both, and a full one leaves the other alone', async () => {
  await withVolumes(async (volumes, path) => {
    const copied = await clone(volumes);
    assert.throws(() => write(join(copied, 'more'), 12), overQuota);
    write(join(path, 'more'), 8);
    assert.equal(readFileSync(join(copied, 'file')).length, 20 * mebibyte);
  });
});

test('a set is limited whose group was made by a server that was killed then', async () => {
  await withVolumes(async (volumes) => {
    const path = await volumes.ensure(copy, '1:1');
    const set = join(path, '../..');
    const id = execFileSync('btrfs', ['inspect-internal', 'rootid', set], { encoding: 'utf8' }).trim();
    execFileSync('btrfs', ['qgroup', 'create', `12/${id}`, set]);
    await volumes.setQuota(copy.environment, 30 * mebibyte);
    assert.throws(() => write(join(path, 'file'), 31), overQuota);
  });
});

test('subvolumes that an application makes count in the set that they lie in, and a set that is gone leaves no group', async () => {
  await withVolumes(async (volumes, path) => {
    const nested = join(path, 'nested');
    execFileSync('btrfs', ['subvolume', 'create', nested], { stdio: 'ignore' });
    assert.throws(() => write(join(nested, 'file'), 12), overQuota);
    rmSync(join(nested, 'file'));
    write(join(nested, 'file'), 8);
    const groups = (): string => execFileSync('btrfs', ['qgroup', 'show', path], { encoding: 'utf8' });
    const [own] = /^12\/\d+/m.exec(groups()) ?? [];
    assert.ok(own, groups());
    await volumes.removeSet(source.environment);
    const other = await volumes.ensure(copy, '1:1');
    execFileSync('btrfs', ['subvolume', 'sync', other]);
    await volumes.setQuota(copy.environment, 30 * mebibyte);
    assert.ok(!new RegExp(`^${own} `, 'm').test(execFileSync('btrfs', ['qgroup', 'show', other], { encoding: 'utf8' })));
  });
});

/** Once the limit followed what was written until now. */
async function writeAtLast(volumes: HostVolumes, path: string, mebibytes: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    await volumes.sync(source.environment);
    await volumes.adjustLimits();
    try {
      return write(path, mebibytes);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(50);
    }
  }
}

test('a set that rewrites its data while copies of it are kept does not fill up by it', async () => {
  await withVolumes(async (volumes, path) => {
    rmSync(join(path, 'file'));
    for (let round = 0; round < 3; round += 1) {
      for (let piece = 0; piece < 10; piece += 1) {
        rmSync(join(path, `piece${piece}`), { force: true });
        await writeAtLast(volumes, join(path, `piece${piece}`), 2);
      }
      await volumes.snapshot({ environment: source.environment, id: snapshot(String(round)) });
    }
    assert.ok((await volumes.usage(source.environment)) < 21 * mebibyte);
    assert.throws(() => write(join(path, 'more'), 20), overQuota);
  });
});

test('usage is what a set shows and a kept copy holds', async () => {
  await withVolumes(async (volumes) => {
    await clone(volumes);
    await volumes.snapshot({ environment: copy.environment, id: snapshot('e') });
    const sizes = await Promise.all([
      volumes.usage(source.environment),
      volumes.usage(copy.environment),
      volumes.snapshotUsage(snapshot('e')),
    ]);
    assert.deepEqual(
      sizes.map((bytes) => Math.round(bytes / mebibyte)),
      [20, 20, 20],
    );
  });
});

test('a set that is gone, or became the data of another generation, is not limited by what was said before', async () => {
  await withVolumes(async (volumes) => {
    await volumes.snapshot({ environment: source.environment, id: snapshot('1') });
    const change = { environment: source.environment, generation: 1, from: snapshot('1'), keep: true, aside: snapshot('2') };
    await volumes.replace(change);
    await volumes.adjustLimits();
    write(join(volumes.path(source), 'more'), 40);
    await volumes.removeSet(source.environment);
    await volumes.adjustLimits();
  });
});
