import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMounts } from './mount-table.ts';

test('mounts are read in their order, with spaces and optional fields', () => {
  const text = `27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw
44 27 0:39 / /srv/my\\040volumes\\134x rw,nosuid,nodev,noatime - btrfs /dev/loop0 rw,subvol=/
`;
  assert.deepEqual(parseMounts(text), [
    { directory: '/', fileSystem: 'ext4', source: '/dev/vda', options: ['rw', 'relatime'] },
    { directory: '/srv/my volumes\\x', fileSystem: 'btrfs', source: '/dev/loop0', options: ['rw', 'nosuid', 'nodev', 'noatime'] },
  ]);
});
