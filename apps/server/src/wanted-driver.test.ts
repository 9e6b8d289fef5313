import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { wantedDriver } from './wanted-driver.ts';

test('a driver of volumes can be asked for, and none is where nothing is said', () => {
  const asked = ['btrfs', 'reflink', 'copy', ''].map((text) => wantedDriver({ COPPICE_VOLUMES: text }));
  assert.deepEqual([...asked, wantedDriver({})], ['btrfs', 'reflink', 'copy', undefined, undefined]);
});

test('what is no driver is refused with those there are', () => {
  assert.throws(
    () => wantedDriver({ COPPICE_VOLUMES: 'zfs' }),
    (error: unknown) => isCoppiceError(error, 'invalid-request') && /btrfs, reflink, copy/.test(error.hint ?? ''),
  );
});
