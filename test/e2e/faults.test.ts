import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataCrashRows } from '../faults/data-groups.ts';
import { crashRows, driftRows, resourceRows } from '../faults/fault-groups.ts';
import type { FaultRow } from '../faults/fault-row.ts';

// A part of the fault matrix; `npm run faults` runs all of it, and kills the engine too.

function losses(rows: readonly FaultRow[]): readonly string[] {
  return rows.flatMap(({ name, lost }) => lost.map((line) => `${name}: ${line}`));
}

test('a server killed in the middle of any change is made whole by the next, and what serves goes on', async (t) => {
  const rows = await crashRows({ every: 17, print: (line) => t.diagnostic(line) });
  assert.deepEqual(losses(rows), []);
  assert.ok(rows.every(({ tried }) => tried > 0));
});

test('a server killed while data is brought back leaves what was or what shall be, whole', async (t) => {
  const rows = await dataCrashRows({ every: 17, only: 'restore', print: (line) => t.diagnostic(line) });
  assert.deepEqual(losses(rows), []);
  assert.ok(rows.length > 1 && rows.every(({ tried }) => tried > 0));
});

test('what somebody changes behind its back is put right within five seconds, with an activity that says why', async (t) => {
  assert.deepEqual(losses(await driftRows({ print: (line) => t.diagnostic(line) })), []);
});

test('a locked state, a full disk and a wrong clock lose nothing', async (t) => {
  assert.deepEqual(losses(await resourceRows({ print: (line) => t.diagnostic(line) })), []);
});
