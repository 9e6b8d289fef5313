import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostFacts, missingParts } from './missing-parts.ts';

const able: HostFacts = {
  isRoot: true,
  missingPrograms: [],
  hasLoopDevices: true,
  kernelHasBtrfs: true,
  isEmpty: true,
  freeBytes: 1000,
};

test('a host that has all lacks nothing', () => {
  assert.deepEqual(missingParts(able, 1000), []);
});

test('each thing that is missing is named with what to do', () => {
  const facts: readonly Partial<HostFacts>[] = [
    { isRoot: false },
    { missingPrograms: ['btrfs', 'mkfs.btrfs'] },
    { missingPrograms: ['losetup'] },
    { hasLoopDevices: false },
    { kernelHasBtrfs: false },
    { isEmpty: false },
    { freeBytes: 999 },
  ];
  const found = facts.map((fact) => missingParts({ ...able, ...fact }, 1000).map(({ part, message }) => [part, message]));
  assert.deepEqual(found, [
    [['root', 'the server does not run as root, so it cannot mount']],
    [['btrfs-progs', 'not installed: btrfs, mkfs.btrfs']],
    [['util-linux', 'not installed: losetup']],
    [['loop-devices', 'there is no loop device to be had']],
    [['kernel-btrfs', 'the kernel has no btrfs']],
    [['empty-directory', 'the directory holds something, which a mount would hide']],
    [['room', 'an image of 1000 bytes has no room: 999 are free']],
  ]);
});

test('all that is missing is told at once', () => {
  const facts = { ...able, isRoot: false, kernelHasBtrfs: false, freeBytes: 0 };
  assert.deepEqual(
    missingParts(facts, 1).map(({ part }) => part),
    ['root', 'kernel-btrfs', 'room'],
  );
});
