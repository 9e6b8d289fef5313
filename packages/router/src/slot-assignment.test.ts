import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@coppice/model';
import { compileTable } from './compiled-table.ts';
import { environmentId, redirectRoute, tableOf, upstreamRoute } from './router-fixture.ts';
import { assignAnew, assignedTable, assignInPlace, layoutFits, layoutFor } from './slot-assignment.ts';

const server = { id: 'c1', address: '10.0.0.2', port: 80 };
const identity = { environment: environmentId('one'), digest: 'sha256:0' as Digest, hosts: [] };
const plain = compileTable(tableOf(upstreamRoute('a.localhost', [server]), upstreamRoute('b.localhost', [server])), 'salt');
const ruled = compileTable(tableOf(upstreamRoute('a.localhost', [server], { headers: { 'X-A': 'b' } })), 'salt');

test('hosts of one node share a slot, which it keeps when only its servers change', () => {
  assert.equal(plain.groups.length, 1);
  const slots = assignInPlace(plain, { previous: new Map(), nextFree: () => 5 });
  const assigned = assignedTable(identity, { compiled: plain, slots: slots ?? new Map(), before: undefined });
  assert.deepEqual(assigned.routes, [
    ['a.localhost/', 'be_5'],
    ['b.localhost/', 'be_5'],
  ]);
  const moved = compileTable(tableOf(upstreamRoute('a.localhost', [{ ...server, id: 'c2' }])), 'salt');
  const previous = new Map(assigned.groups.map((group) => [group.key, group.slot]));
  assert.deepEqual(
    [...(assignInPlace(moved, { previous, nextFree: () => undefined }) ?? [])].map(([, slot]) => slot),
    [5],
  );
});

test('redirects and notices need no slot and no rule', () => {
  const notice = upstreamRoute('n.localhost', [], { target: { kind: 'notice', notice: 'creating', text: ' a\nb ' } });
  const compiled = compileTable(tableOf(notice, redirectRoute('r.localhost', 'https://a.localhost/')), 'salt');
  assert.deepEqual(compiled.groups, []);
  const { routes, targets } = assignedTable(identity, { compiled, slots: new Map(), before: undefined });
  assert.deepEqual(
    routes.map(([key, value]) => [key, value.split('/')[0]]),
    [
      ['n.localhost/', 'notice_creating'],
      ['r.localhost/', 'redirect_carry_301'],
    ],
  );
  assert.deepEqual(targets, [
    [routes[0]?.[1], 'a b'],
    [routes[1]?.[1], 'https://a.localhost/'],
  ]);
});

test('servers that differ for one node get slots of their own', () => {
  const other = { ...server, id: 'c2' };
  const compiled = compileTable(tableOf(upstreamRoute('a.localhost', [server]), upstreamRoute('b.localhost', [other])), 'salt');
  assert.equal(compiled.groups.length, 2);
});

test('rules and a used-up pool need another configuration', () => {
  assert.equal(assignInPlace(ruled, { previous: new Map(), nextFree: () => 0 }), undefined);
  assert.equal(assignInPlace(plain, { previous: new Map(), nextFree: () => undefined }), undefined);
  assert.deepEqual([...assignAnew(ruled, { previous: new Map(), used: new Set([0, 1]) }).values()], [2]);
});

test('a layout doubles when three quarters are in use, never shrinks, and carries the rules of its slots', () => {
  const slots = new Map(ruled.groups.map((group) => [group.key, 3]));
  const assigned = assignedTable(identity, { compiled: ruled, slots, before: undefined });
  const before = { generation: 4, slots: 2 };
  const layout = layoutFor([assigned], before);
  assert.deepEqual(layout, { v: 1, generation: 5, slots: 4, rules: { 3: ruled.groups[0]?.rules } });
  assert.deepEqual(layoutFor([], layout), { v: 1, generation: 6, slots: 4, rules: {} });
  assert.deepEqual(
    [layoutFits([assigned], layout), layoutFits([assigned], { ...layout, rules: {} }), layoutFits([], { ...layout, rules: {} })],
    [true, false, true],
  );
});

test('held routes need no slot and keep those of before, with rules and without servers, one for each until they are released', () => {
  const slots = new Map(ruled.groups.map((group) => [group.key, 3]));
  const serving = assignedTable(identity, { compiled: ruled, slots, before: undefined });
  const hold = upstreamRoute('a.localhost', [], { target: { kind: 'hold', cause: 'suspended' } });
  const compiled = compileTable(tableOf(hold), 'salt');
  const held = assignedTable(identity, { compiled, slots: new Map(), before: serving });
  assert.deepEqual(held.routes, [['a.localhost/', 'hold_suspended/e_one']]);
  assert.deepEqual(held.groups, [{ ...serving.groups[0], servers: [] }]);
  assert.deepEqual(assignedTable(identity, { compiled, slots: new Map(), before: held }).groups, held.groups);
  const previous = new Map(held.groups.map((group) => [group.key, group.slot]));
  const released = assignInPlace(ruled, { previous, nextFree: () => undefined });
  assert.deepEqual(released, slots);
  assert.deepEqual(assignedTable(identity, { compiled: ruled, slots, before: held }), serving);
});
