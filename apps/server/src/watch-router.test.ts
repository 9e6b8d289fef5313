import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchRouter } from './watch-router.ts';

test('the router is looked after until the signal, also where it could not be started once', async () => {
  const stop = new AbortController();
  const events: string[] = [];
  let asked = 0;
  const router = {
    ensureRunning: async (): Promise<void> => {
      asked += 1;
      if (asked === 1) throw new Error('port in use');
      stop.abort();
    },
  };
  // The watch itself does not keep a process alive.
  const alive = setInterval(() => undefined, 1_000);
  await watchRouter(router, (event) => events.push(event), stop.signal);
  clearInterval(alive);
  assert.deepEqual([asked, events], [2, ['router.down']]);
});
