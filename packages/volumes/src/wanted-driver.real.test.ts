import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError, type SnapshotId } from '@coppice/model';
import { openGround } from './ground-fixture.ts';
import { openVolumeFileSystem } from './open-volume-file-system.ts';
import { openVolumes } from './open-volumes.ts';
import { volumeRef } from './volumes.contract.ts';
import type { Volumes } from './volumes.ts';

const ground = openGround();
after(() => ground.remove());
const plain = join(ground.path, 'plain');
mkdirSync(plain);
const btrfs = ground.mountBtrfs('btrfs', 256 * 1024 * 1024);
const policy = { freeShare: 0, freeBytes: 0, maxBytes: 0, hostReserveBytes: 0 };

/** Volumes on a btrfs by another driver than the best, as the server opens them. */
async function openOnBtrfs(driver: 'reflink' | 'copy'): Promise<Volumes> {
  const directory = join(mkdtempSync(join(btrfs, 'd-')), 'volumes');
  const fileSystem = await openVolumeFileSystem({ directory, image: join(ground.path, 'none'), sizeBytes: 1, growth: policy });
  return await openVolumes({ directory, serverId: 's_1', fileSystem, driver });
}

for (const driver of ['reflink', 'copy'] as const) {
  test(`the driver ${driver} is taken where it is asked for, limits nothing, and copies`, async () => {
    const volumes = await openOnBtrfs(driver);
    const ref = volumeRef('aa', 'db', 'data');
    assert.deepEqual([volumes.driver.name, volumes.driver.quota], [driver, 'not enforced']);
    writeFileSync(join(await volumes.ensure(ref, '1:1'), 'row'), 'one');
    const [from, aside] = ['b_1', 'b_2'] as SnapshotId[] as [SnapshotId, SnapshotId];
    await volumes.snapshot({ environment: ref.environment, id: from });
    const copy = volumeRef('bb', 'db', 'data');
    await volumes.replace({ environment: copy.environment, generation: 1, from, keep: false, aside });
    assert.equal(readFileSync(join(volumes.path(copy), 'row'), 'utf8'), 'one');
    assert.ok((await volumes.usage(copy.environment)) > 0);
  });
}

test('a driver that the file system does not allow is refused', async () => {
  const directory = join(mkdtempSync(join(plain, 'd-')), 'volumes');
  await assert.rejects(
    openVolumes({ directory, serverId: 's_1', driver: 'btrfs' }),
    (error: unknown) => isCoppiceError(error, 'volume-failed') && /does not allow the driver btrfs/.test(error.message),
  );
});
