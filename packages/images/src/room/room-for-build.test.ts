import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { createRoomForBuild, refuseWithoutRoom } from './room-for-build.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-room-'));
after(() => rm(root, { recursive: true, force: true }));

const mebibyte = 1024 ** 2;
const small = { hostBytes: 1, hostFiles: 1 };
const data = { path: root, name: 'the data directory' };
const volumesWith = (dataMiB: number, metadataMiB: number) => ({
  data: { freeBytes: dataMiB * mebibyte },
  metadata: { freeBytes: metadataMiB * mebibyte },
});

test('a machine with room has enough, and nobody is refused', async () => {
  const room = createRoomForBuild({ folders: [data, { path: join(root, 'made'), name: 'bases' }], needs: small });
  assert.deepEqual(await room(), { kind: 'enough' });
  await refuseWithoutRoom(room);
});

test('a disk that is too full is named with what is free and needed, folders on one disk once', async () => {
  const needed = 2 ** 50;
  const folders = [data, { path: join(root, 'bases'), name: 'bases' }];
  const room = createRoomForBuild({ folders, needs: { hostBytes: needed, hostFiles: 1 } });
  const found = await room();
  assert.ok(found.kind === 'short' && found.shortages.length === 1);
  const [shortage] = found.shortages;
  assert.deepEqual(
    { ...shortage, free: 0 },
    { where: `${root} (the data directory) and ${join(root, 'bases')} (bases)`, kind: 'space', free: 0, needed },
  );
  await assert.rejects(refuseWithoutRoom(room), (error: unknown) => {
    assert.ok(isCoppiceError(error, 'limit-exceeded'));
    assert.match(error.message, /^nothing is built while the disk is nearly full: .* has \d+ MiB free, and 1073741824 MiB are needed$/);
    assert.match(error.hint ?? '', /coppice gc, coppice trash empty/);
    return true;
  });
});

test('a file system that can make few more files is short of them', async () => {
  const room = createRoomForBuild({ folders: [{ path: root, name: 'data' }], needs: { hostBytes: 1, hostFiles: 1e15 } });
  await assert.rejects(refuseWithoutRoom(room), /has room for \d+ more files, and 1000000000000000 are needed/);
});

test('volumes that are short of data or metadata are enlarged first, and refused where that does not help', async () => {
  let grown = 0;
  const spaces = [volumesWith(10, 100), volumesWith(900, 100), volumesWith(900, 3), volumesWith(900, 3)];
  const volumes = {
    space: async () => spaces.shift() ?? volumesWith(900, 100),
    growIfNeeded: async () => {
      grown += 1;
    },
  };
  const room = createRoomForBuild({ folders: [], volumes, needs: small });
  assert.deepEqual([await room(), grown], [{ kind: 'enough' }, 1]);
  const where = 'the file system of the volumes';
  const short = { kind: 'short', shortages: [{ where, kind: 'metadata', free: 3 * mebibyte, needed: 16 * mebibyte }] };
  assert.deepEqual([await room(), grown], [short, 2]);
  assert.deepEqual([await room(), grown], [{ kind: 'enough' }, 2]);
  spaces.push(volumesWith(10, 3), volumesWith(10, 3));
  await assert.rejects(refuseWithoutRoom(room), /volumes has 10 MiB free, and 64 MiB are needed; .* 3 MiB free for metadata \(names/);
});
