import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDriver } from './describe-driver.ts';

test('a driver is told with its place where that is known', () => {
  const driver = { name: 'btrfs', costs: 'little', quota: 'enforced' } as const;
  assert.deepEqual(
    [describeDriver(driver), describeDriver({ ...driver, place: 'the image /d/volumes.btrfs' })],
    ['btrfs: little; quota enforced', 'btrfs in the image /d/volumes.btrfs: little; quota enforced'],
  );
});
