import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@coppice/model';
import { environmentId } from './router-fixture.ts';
import { usageByEnvironment } from './router-usage.ts';
import type { AssignedTable } from './slot-assignment.ts';
import { parseStatRows } from './stat-rows.ts';

function assigned(name: string, slots: readonly number[]): AssignedTable {
  const groups = slots.map((slot) => ({ key: String(slot), rules: [], servers: [], slot }));
  return { v: 1, environment: environmentId(name), digest: 'sha256:0' as Digest, hosts: [], groups, routes: [], targets: [] };
}

/** Columns 1, 2, 5 and 56 of 56. */
function statLine(backend: string, open: number, last: number): string {
  return [backend, 'BACKEND', '0', '0', open, ...Array.from({ length: 50 }, () => ''), last].join(',');
}

test('usage sums the slots of an environment over all workers, and takes the latest request', () => {
  const rows = parseStatRows(
    ['# pxname,svname', statLine('be_0', 2, 40), statLine('be_1', 0, 12), statLine('be_2', 5, 0), statLine('be_0', 1, -1), ''].join('\n'),
  );
  const held = new Map([['e_two', '3']]);
  assert.deepEqual(
    usageByEnvironment([assigned('one', [0, 1]), assigned('two', []), assigned('three', [7])], { rows, held, upSeconds: 100 }),
    new Map([
      [environmentId('one'), { open: 3, held: 0, idleMs: 12_000 }],
      [environmentId('two'), { open: 0, held: 3, idleMs: 100_000 }],
      [environmentId('three'), { open: 0, held: 0, idleMs: 100_000 }],
    ]),
  );
});
