import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffValues } from './diff-values.ts';

test('equal values differ nowhere, undefined properties counting as absent', () => {
  assert.deepEqual(diffValues({ a: [1, { b: 'x' }], c: undefined }, { a: [1, { b: 'x' }] }), []);
});

test('only the deepest places that differ are named, absent ones as null', () => {
  const from = { a: { x: 1, y: 2 }, b: 'old', gone: true };
  const to = { a: { x: 1, y: 3 }, b: 'new', fresh: ['v'] };
  assert.deepEqual(diffValues(from, to), [
    { path: 'a.y', from: 2, to: 3 },
    { path: 'b', from: 'old', to: 'new' },
    { path: 'fresh', from: null, to: ['v'] },
    { path: 'gone', from: true, to: null },
  ]);
});

test('lists of named things are compared by name, so an insertion is one change', () => {
  const from = {
    nodes: [
      { name: 'a', n: 1 },
      { name: 'c', n: 1 },
    ],
  };
  const to = {
    nodes: [
      { name: 'b', n: 1 },
      { name: 'c', n: 2 },
      { name: 'a', n: 1 },
    ],
  };
  assert.deepEqual(diffValues(from, to), [
    { path: 'nodes.b', from: null, to: { name: 'b', n: 1 } },
    { path: 'nodes.c.n', from: 1, to: 2 },
  ]);
});

test('other lists are compared by position; odd keys are quoted', () => {
  assert.deepEqual(diffValues({ 'a.b': ['x', 'y'] }, { 'a.b': ['x', 'z', 'w'] }), [
    { path: '["a.b"][1]', from: 'y', to: 'z' },
    { path: '["a.b"][2]', from: null, to: 'w' },
  ]);
});

test('a change of shape is one change of the whole', () => {
  assert.deepEqual(diffValues({ a: 'none' }, { a: ['x'] }), [{ path: 'a', from: 'none', to: ['x'] }]);
});

test('depth is no limit', () => {
  let from: unknown = 1;
  let to: unknown = 2;
  for (let depth = 0; depth < 20_000; depth += 1) [from, to] = [[from], [to]];
  assert.equal(diffValues(from, to).length, 1);
});
