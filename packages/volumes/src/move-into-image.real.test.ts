import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SnapshotId } from '@coppice/model';
import { isCoppiceError } from '@coppice/model';
import { openGround } from './ground-fixture.ts';
import { moveIntoImage, movingPlace, oldFolders } from './move-into-image.ts';
import { openVolumeFileSystem } from './open-volume-file-system.ts';
import { openVolumes } from './open-volumes.ts';
import { takeDownVolumeFileSystem } from './take-down-volume-file-system.ts';
import { volumeRef } from './volumes.contract.ts';
import type { Volumes } from './volumes.ts';

const mebibyte = 1024 * 1024;
const ground = openGround();
after(() => ground.remove());

const source = volumeRef('aa', 'db', 'data');
const kept = 'b_0000000000000001' as SnapshotId;

interface Place {
  readonly directory: string;
  readonly image: string;
}

/** Volumes in plain folders: a set with a file, and a kept copy of it. */
async function plainPlace(): Promise<Place> {
  const folder = mkdtempSync(join(ground.path, 'm-'));
  const place = { directory: join(folder, 'volumes'), image: join(folder, 'volumes.btrfs') };
  const volumes = await openVolumes({ directory: place.directory, serverId: 's_1' });
  const path = await volumes.ensure(source, '1234:2345');
  writeFileSync(join(path, 'file'), 'kept');
  chmodSync(join(path, 'file'), 0o640);
  await volumes.snapshot({ environment: source.environment, id: kept });
  return place;
}

async function openAgain(place: Place): Promise<Volumes> {
  const growth = { freeShare: 0.1, freeBytes: 0, maxBytes: 1024 * mebibyte, hostReserveBytes: 0 };
  const fileSystem = await openVolumeFileSystem({ ...place, sizeBytes: 256 * mebibyte, growth });
  return openVolumes({ directory: place.directory, serverId: 's_1', fileSystem });
}

/** All is there, and can be snapshotted and limited. */
async function assertMoved(place: Place): Promise<void> {
  const volumes = await openAgain(place);
  const file = join(volumes.path(source), 'file');
  const { uid, gid } = statSync(volumes.path(source));
  assert.deepEqual(
    [volumes.driver.name, volumes.driver.quota, readFileSync(file, 'utf8'), statSync(file).mode & 0o777, uid, gid],
    ['btrfs', 'enforced', 'kept', 0o640, 1234, 2345],
  );
  const again = 'b_0000000000000002' as SnapshotId;
  await volumes.snapshot({ environment: source.environment, id: again });
  assert.deepEqual(
    (await volumes.snapshots()).map(({ id }) => id),
    [kept, again],
  );
  await volumes.setQuota(source.environment, 5 * mebibyte);
  assert.throws(() => writeFileSync(`${file}-large`, Buffer.alloc(6 * mebibyte, 1), { flush: true }), { errno: -122 });
  assert.deepEqual(readdirSync(join(place.directory, '..')).sort(), ['volumes', 'volumes.btrfs', 'volumes.plain']);
  await takeDownVolumeFileSystem(place, 'remove-image');
}

test('volumes in plain folders are moved into an image, and the folders are kept beside it', async () => {
  const place = await plainPlace();
  assert.equal(await moveIntoImage(place), true);
  assert.equal(existsSync(join(oldFolders(place), source.environment, 'data')), true);
  assert.equal(await moveIntoImage(place), false);
  await assertMoved(place);
});

test('a move that was cut off while it copied is begun anew', async () => {
  const place = await plainPlace();
  const draft = movingPlace(place);
  const growth = { freeShare: 0.1, freeBytes: 0, maxBytes: 1024 * mebibyte, hostReserveBytes: 0 };
  await openVolumeFileSystem({ ...draft, sizeBytes: 256 * mebibyte, growth });
  mkdirSync(join(draft.directory, source.environment));
  assert.equal((await openVolumes({ directory: place.directory, serverId: 's_1' })).driver.name, 'copy');
  assert.equal(await moveIntoImage(place), true);
  await assertMoved(place);
});

test('a move that was cut off between its two renames keeps a server from starting and is finished', async () => {
  const place = await plainPlace();
  await moveIntoImage(place);
  rmSync(place.directory, { recursive: true });
  renameSync(oldFolders(place), place.directory);
  await assert.rejects(openAgain(place), (error) => isCoppiceError(error, 'volume-failed') && /move-volumes/.test(error.hint ?? ''));
  assert.equal(await moveIntoImage(place), true);
  await assertMoved(place);
});

test('there is nothing to move where there is nothing, or an image already', async () => {
  const folder = mkdtempSync(join(ground.path, 'm-'));
  const place = { directory: join(folder, 'volumes'), image: join(folder, 'volumes.btrfs') };
  assert.equal(await moveIntoImage(place), false);
  await openAgain(place);
  assert.equal(await moveIntoImage(place), false);
  await takeDownVolumeFileSystem(place, 'remove-image');
});

test('folders of an older move are never overwritten', async () => {
  const place = await plainPlace();
  mkdirSync(oldFolders(place));
  await assert.rejects(moveIntoImage(place), (error) => isCoppiceError(error, 'conflict'));
  assert.equal(existsSync(place.image), false);
});
