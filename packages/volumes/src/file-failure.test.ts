import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { volumeWork } from './file-failure.ts';

const failing = async (error: unknown): Promise<unknown> =>
  await volumeWork('keep a copy', () => Promise.reject(error)).catch((thrown: unknown) => thrown);

test('what fails says what was tried, and where nothing has room that the volumes are full and how there is room again', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const said = new CoppiceError('volume-failed', 'btrfs subvolume ended with 1: ERROR: No space left on device');
  const other = new CoppiceError('not-found', 'there are no volumes');
  const told = (await Promise.all([full, said, new Error('EIO'), other].map(failing))) as readonly CoppiceError[];
  assert.deepEqual(
    told.map(({ code, message, hint }) => [code, message, hint?.includes('trash empty') ?? false]),
    [
      ['volume-failed', `could not keep a copy: the file system of the volumes is full (${full.message})`, true],
      ['volume-failed', `could not keep a copy: the file system of the volumes is full (${said.message})`, true],
      ['volume-failed', 'could not keep a copy: EIO', false],
      ['not-found', 'there are no volumes', false],
    ],
  );
});
