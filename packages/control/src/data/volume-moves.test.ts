import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnvironmentSpec, NodeSpec, VolumeMove } from '@coppice/model';
import { buildNode, buildSpec } from '@coppice/model/builders';
import { type MoveQuestion, undone, volumeMoves } from './volume-moves.ts';

const mounts: NodeSpec['mounts'] = [{ target: '/data', source: 'instance', volume: 'data', exclusive: true }];

function node(name: string, of: Partial<NodeSpec> & { readonly type?: string; readonly version?: string } = {}): NodeSpec {
  const { type = 'redis', version = '7', ...rest } = of;
  const trace = { type, version, sourceTree: undefined, buildKey: undefined };
  return buildNode(name, { kind: 'service', mounts, trace, ...rest });
}

function spec(...nodes: readonly NodeSpec[]): EnvironmentSpec {
  return buildSpec(nodes);
}

function moves(question: Partial<MoveQuestion> & Pick<MoveQuestion, 'spec'>): readonly VolumeMove[] {
  return volumeMoves({ served: undefined, held: new Map(), trash: [], newId: () => 't_1', ...question });
}

test('what fits stays, and a node that never held anything gets nothing', () => {
  const db = node('db');
  assert.deepEqual(moves({ spec: spec(db, node('cache')), held: new Map([['db', db]]) }), []);
});

test('data that a node cannot use goes aside, of another type as of a newer version', () => {
  const aside = [{ from: 'db', to: 'db~t_1' }];
  assert.deepEqual(moves({ spec: spec(node('db', { type: 'mariadb' })), held: new Map([['db', node('db')]]) }), aside);
  assert.deepEqual(moves({ spec: spec(node('db', { version: '6' })), held: new Map([['db', node('db')]]) }), aside);
  assert.deepEqual(moves({ spec: spec(node('db', { version: '8' })), held: new Map([['db', node('db')]]) }), []);
});

test('what went aside comes back to a node of its type, after what took its place went aside itself', () => {
  const held = new Map([
    ['db', node('db', { type: 'mariadb' })],
    ['db~t_0', undefined],
  ]);
  const trash = [{ node: 'db', folder: 'db~t_0', type: 'redis' }];
  assert.deepEqual(moves({ spec: spec(node('db')), held, trash }), [
    { from: 'db', to: 'db~t_1' },
    { from: 'db~t_0', to: 'db' },
  ]);
  assert.deepEqual(moves({ spec: spec(node('db', { type: 'postgresql' })), held: new Map([['db~t_0', undefined]]), trash }), []);
});

test('data moves with the node that says where it came from, and back where that is reverted', () => {
  const old = node('old');
  const moved = node('new', { movedFrom: 'old' as NodeSpec['name'] });
  assert.deepEqual(moves({ spec: spec(moved), held: new Map([['old', old]]) }), [{ from: 'old', to: 'new' }]);
  assert.deepEqual(moves({ spec: spec(moved), held: new Map([['new', moved]]) }), []);
  assert.deepEqual(moves({ spec: spec(old), served: spec(moved), held: new Map([['new', moved]]) }), [{ from: 'new', to: 'old' }]);
});

test('nothing moves to a node of another type, whatever it says', () => {
  const moved = node('new', { type: 'postgresql', movedFrom: 'old' as NodeSpec['name'] });
  assert.deepEqual(moves({ spec: spec(moved), held: new Map([['old', node('old')]]) }), []);
});

test('nothing is taken from a node that is still declared', () => {
  const moved = node('new', { movedFrom: 'old' as NodeSpec['name'] });
  assert.deepEqual(moves({ spec: spec(moved, node('old')), held: new Map([['old', node('old')]]) }), []);
});

test('what went aside comes back to no node of an older version', () => {
  const trash = [{ node: 'db', folder: 'db~t_0', type: 'redis:8' }];
  const held = new Map([['db~t_0', undefined]]);
  assert.deepEqual(moves({ spec: spec(node('db', { version: '7' })), held, trash }), []);
  assert.deepEqual(moves({ spec: spec(node('db', { version: '8' })), held, trash }), [{ from: 'db~t_0', to: 'db' }]);
});

function undoing(text: string, folders: readonly string[]): string {
  const renames = text.split(' ').map((move) => ({ from: move.split('>')[0] ?? '', to: move.split('>')[1] ?? '' }));
  return undone(renames, { folders: new Set(folders), newId: () => 't_9' })
    .map(({ from, to }) => `${from}>${to}`)
    .join(' ');
}

test('renames that were done are undone in the reverse order, those that were not are not', () => {
  assert.equal(undoing('a>b', ['b']), 'b>a');
  assert.equal(undoing('a>b', ['a']), '');
  assert.equal(undoing('db>db~t_2 db~t_1>db', ['db', 'db~t_2']), 'db>db~t_1 db~t_2>db');
  assert.equal(undoing('db>db~t_2 db~t_1>db', ['db~t_1', 'db~t_2']), 'db~t_2>db');
  assert.equal(undoing('db>db~t_2 db~t_1>db', ['db', 'db~t_1']), '');
});

test('what was begun in the place of what went aside goes aside when that comes back', () => {
  assert.equal(undoing('db>db~t_1', ['db', 'db~t_1']), 'db>db~t_9 db~t_1>db');
  assert.equal(undoing('db>db~t_1', ['db~t_1']), 'db~t_1>db');
});
