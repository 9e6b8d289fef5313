import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuredLimits, limitHint } from './configured-limits.ts';

test('limits are read from the environment, each in its unit', () => {
  const environment = {
    COPPICE_BUILD_TIMEOUT: '90s',
    COPPICE_BUILD_DISK: '256M',
    COPPICE_BUILD_PROCESSES: '64',
    COPPICE_BUILD_MEMORY: '',
    PATH: '/bin',
  };
  assert.deepEqual(configuredLimits(environment), { timeMs: 90_000, diskBytes: 256 * 1024 ** 2, processes: 64 });
  assert.deepEqual(configuredLimits({}), {});
});

test('what is no amount is refused, with one that is', () => {
  for (const text of ['soon', '10', '0s', '-1s', '1.5m', '10 m', '5G', '9999999999s']) {
    assert.throws(() => configuredLimits({ COPPICE_BUILD_TIMEOUT: text }), {
      code: 'invalid-request',
      message: `COPPICE_BUILD_TIMEOUT is "${text}", which is no amount`,
      hint: 'write it like 10m',
    });
  }
});

test('who meets a limit is told how to raise it', () => {
  assert.equal(
    limitHint,
    'make the step cheaper, or have the limit raised: COPPICE_BUILD_TIMEOUT, COPPICE_BUILD_MEMORY, COPPICE_BUILD_DISK, COPPICE_BUILD_PROCESSES or COPPICE_BUILD_OUTPUT of the server',
  );
});
