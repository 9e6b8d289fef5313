import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { copiesUnderWriter } from '../faults/copies.ts';
import { TestServer } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

/** One of each kind and a clone of what was reverted; `npm run faults -- copies` makes a hundred. */
const copies = 6;

test('every copy of an environment that is written to is what all its stores held at one instant, and the environment loses nothing', async (t) => {
  const rows = await copiesUnderWriter(server, { copies, print: (line) => t.diagnostic(line) });
  assert.deepEqual(
    rows.flatMap(({ name, lost }) => lost.map((line) => `${name}: ${line}`)),
    [],
  );
});
