import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@coppice/model';
import { environmentId } from './router-fixture.ts';
import { type ChangeScope, changeCommand, goalOf, recordChange, runtimeChanges } from './runtime-change.ts';
import { parseMap, parseServers, type RuntimeState } from './runtime-state.ts';
import type { AssignedTable } from './slot-assignment.ts';

const everything: ChangeScope = { route: () => true, target: () => true, digest: () => true, backend: () => true };
const emptyState = (): RuntimeState => ({ maps: { routes: new Map(), targets: new Map(), digests: new Map() }, servers: new Map() });

function table(rest: Partial<AssignedTable> & { readonly servers?: readonly string[] }): AssignedTable {
  const servers = (rest.servers ?? []).map((name) => ({ name, address: '10.0.0.2', port: 80 }));
  return {
    v: 1,
    environment: environmentId('one'),
    digest: 'sha256:1' as Digest,
    hosts: [],
    groups: [{ key: 'k', rules: [], servers, slot: 0 }],
    routes: [['a.localhost/', 'be_0']],
    targets: [],
    ...rest,
  };
}

function reached(...tables: readonly AssignedTable[]): RuntimeState {
  const state = emptyState();
  for (const change of runtimeChanges(state, goalOf(tables), everything)) recordChange(state, change);
  return state;
}

test('from nothing: targets, servers, routes, and the digest last', () => {
  const goal = goalOf([table({ servers: ['s1'], targets: [['notice_creating/x', 'soon; now']] })]);
  assert.deepEqual(runtimeChanges(emptyState(), goal, everything).map(changeCommand), [
    'add map maps/targets.map <<\nnotice_creating/x soon; now\n',
    'add server be_0/s1 10.0.0.2:80 pool-max-conn -1 pool-purge-delay 2s',
    'set server be_0/s1 state ready',
    'add map maps/routes.map <<\na.localhost/ be_0\n',
    'add map maps/digests.map <<\ne_one sha256:1\n',
  ]);
});

test('a swap takes the digest away, puts the new server in, then takes the old one out', () => {
  const goal = goalOf([table({ servers: ['s2'], digest: 'sha256:2' as Digest })]);
  assert.deepEqual(runtimeChanges(reached(table({ servers: ['s1'] })), goal, everything).map(changeCommand), [
    'del map maps/digests.map e_one',
    'add server be_0/s2 10.0.0.2:80 pool-max-conn -1 pool-purge-delay 2s',
    'set server be_0/s2 state ready',
    'set server be_0/s1 state maint',
    'add map maps/digests.map <<\ne_one sha256:2\n',
  ]);
});

test('a server that comes back before it was deleted is only enabled', () => {
  const state = reached(table({ servers: ['s1'] }));
  recordChange(state, { kind: 'take-out-server', path: 'be_0/s1' });
  const commands = runtimeChanges(state, goalOf([table({ servers: ['s1'] })]), everything).map(changeCommand);
  assert.ok(commands.includes('set server be_0/s1 state ready'));
  assert.ok(!commands.some((command) => command.startsWith('add server')));
});

test('a host that moves to another slot is switched in one command; nothing to do is no command', () => {
  const after = table({ routes: [['a.localhost/', 'be_1']] });
  assert.ok(
    runtimeChanges(reached(table({})), goalOf([after]), everything)
      .map(changeCommand)
      .includes('set map maps/routes.map a.localhost/ be_1'),
  );
  assert.deepEqual(runtimeChanges(reached(table({})), goalOf([table({})]), everything), []);
});

test('what lies outside the scope is left alone', () => {
  const state = reached(table({ servers: ['s1'] }));
  const nothing: ChangeScope = { route: () => false, target: () => false, digest: () => false, backend: () => false };
  assert.deepEqual(runtimeChanges(state, goalOf([]), nothing), []);
});

test('any cut within a change converges when it is planned again', () => {
  const goal = goalOf([table({ servers: ['s2', 's3'], routes: [['b.localhost/', 'be_0']], digest: 'sha256:2' as Digest })]);
  const length = runtimeChanges(reached(table({ servers: ['s1'] })), goal, everything).length;
  for (let cut = 0; cut <= length; cut += 1) {
    const state = reached(table({ servers: ['s1'] }));
    for (const change of runtimeChanges(state, goal, everything).slice(0, cut)) recordChange(state, change);
    if (cut > 0 && cut < length) assert.equal(state.maps.digests.get('e_one'), undefined, `the cut at ${cut} shows`);
    for (const change of runtimeChanges(state, goal, everything)) recordChange(state, change);
    assert.deepEqual(state.maps.routes, goal.routes);
    assert.deepEqual(state.maps.digests, goal.digests);
    assert.deepEqual(new Map([...state.servers].filter(([, server]) => server.state === 'ready')), goal.servers);
  }
});

test("HAProxy's answers are read", () => {
  assert.deepEqual(
    parseMap('0x55d0 a.localhost/ be_1\n0x55d1 notice_creating/x soon; now\n\n'),
    new Map([
      ['a.localhost/', 'be_1'],
      ['notice_creating/x', 'soon; now'],
    ]),
  );
  const header = '1\n# be_id be_name srv_id srv_name srv_addr srv_op_state\n';
  const line = (backend: string, admin: number): string =>
    `8 ${backend} 1 s1 127.0.0.1 2 ${admin} 1 1 1 1 0 0 0 0 0 0 - 18081 - 0 0 - - 0\n`;
  assert.deepEqual(
    parseServers(`${header}${line('be_3', 0)}${line('be_4', 1)}${line('relay', 0)}`),
    new Map([
      ['be_3/s1', { name: 's1', address: '127.0.0.1', port: 18081, state: 'ready' }],
      ['be_4/s1', { name: 's1', address: '127.0.0.1', port: 18081, state: 'out' }],
    ]),
  );
});
