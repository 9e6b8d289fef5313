import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { PartChecks } from './part-checks.ts';

const fine = async (): Promise<void> => undefined;
const never = (): Promise<void> => new Promise(() => undefined);

test('each part says for itself what is wrong', async () => {
  const checks = new PartChecks({
    engine: () => Promise.reject(new CoppiceError('engine-unreachable', 'no answer at the socket\nat all')),
    router: fine,
    volumes: fine,
    state: () => Promise.reject(new TypeError('x is undefined')),
    loop: fine,
  });
  assert.deepEqual(await checks.wrong(), {
    engine: 'no answer at the socket',
    router: undefined,
    volumes: undefined,
    state: 'internal error: x is undefined',
    loop: undefined,
  });
});

test('parts that hang are asked at once and hold up the answer for the limit only', async () => {
  const checks = new PartChecks({ engine: never, router: never, volumes: fine, state: fine, loop: fine }, 20);
  assert.deepEqual(await checks.wrong(), {
    engine: 'does not answer within 0.02 s',
    router: 'does not answer within 0.02 s',
    volumes: undefined,
    state: undefined,
    loop: undefined,
  });
});
