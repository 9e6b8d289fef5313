import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupOf, freezerOf, freezerOfProcess } from './cgroup-freezer.ts';

const id = 'c0ffee'.repeat(11).slice(0, 64);

test('the group of a container is found in version 1, in version 2, and where both are mounted', () => {
  const first = { version: 1, directory: `/sys/fs/cgroup/freezer/docker/${id}` };
  const second = { version: 2, directory: `/sys/fs/cgroup/system.slice/docker-${id}.scope` };
  assert.deepEqual(cgroupOf(`9:name=systemd:/docker/${id}\n6:freezer:/docker/${id}\n1:cpu,cpuacct:/docker/${id}\n`, id), first);
  assert.deepEqual(cgroupOf(`6:freezer:/docker/${id}\n0::/docker/${id}\n`, id), first);
  assert.deepEqual(cgroupOf(`0::/system.slice/docker-${id}.scope\n`, id), second);
});

test("a group that is not the container's own is nobody's", () => {
  for (const membership of ['', 'nonsense', '0::/', `0::/docker/${'d'.repeat(64)}\n`, `0::/../docker/${id}`, `5:memory:/docker/${id}\n`]) {
    assert.equal(cgroupOf(membership, id), undefined, membership);
  }
  assert.equal(freezerOfProcess(process.pid, id), undefined);
  assert.equal(freezerOfProcess(0, id), undefined);
  assert.equal(freezerOf({ version: 1, directory: '/nowhere' }), undefined);
});
