import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coalesced } from './coalesced.ts';

test('calls while one runs share the one after it, and never do two run at once', async () => {
  const ends: (() => void)[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  let running = 0;
  let runs = 0;
  const call = coalesced(async () => {
    runs += 1;
    running += 1;
    assert.equal(running, 1);
    const run = runs;
    await new Promise<void>((resolve) => ends.push(resolve));
    running -= 1;
    return run;
  });
  const calls = [call(), call(), call()];
  ends[0]?.();
  await turn();
  const late = call(); // the second run began before it
  ends[1]?.();
  assert.deepEqual(await Promise.all(calls), [1, 2, 2]);
  await turn();
  ends[2]?.();
  assert.equal(await late, 3);
});

test('a failure is heard by those who asked for that run, and the next one runs', async () => {
  let runs = 0;
  const call = coalesced(async () => {
    runs += 1;
    if (runs === 1) throw new Error('first');
    return runs;
  });
  const [first, second] = [call(), call()];
  await assert.rejects(first, /first/);
  assert.equal(await second, 2);
});
