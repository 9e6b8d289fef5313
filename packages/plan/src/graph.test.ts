import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCycle, topologicalOrder } from './graph.ts';

test('ids come after all that are before them, and else in the order given', () => {
  const graph = new Map([
    ['c', ['a', 'b']],
    ['b', ['a']],
    ['z', []],
    ['a', ['not in the graph']],
  ]);
  assert.deepEqual(topologicalOrder(graph), { order: ['z', 'a', 'b', 'c'], blocked: [] });
});

test('what is on a cycle or behind one is told', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['a']],
    ['c', ['b']],
    ['d', []],
  ]);
  assert.deepEqual(topologicalOrder(graph), { order: ['d'], blocked: ['a', 'b', 'c'] });
});

test('a cycle is found from behind it, and starts with its least id', () => {
  const graph = new Map([
    ['behind', ['y']],
    ['x', ['w', 'free']],
    ['y', ['x']],
    ['w', ['y']],
    ['free', []],
  ]);
  assert.deepEqual(findCycle(graph), ['w', 'y', 'x']);
});

test('a node before itself is a cycle of one', () => {
  assert.deepEqual(findCycle(new Map([['a', ['a']]])), ['a']);
});

test('a chain of 100,000 is no deeper than any other graph', () => {
  const graph = new Map(Array.from({ length: 100_000 }, (_, index) => [`n${index}`, [`n${index + 1}`]]));
  const { order, blocked } = topologicalOrder(graph);
  assert.deepEqual([order.length, order[0], order.at(-1), blocked.length], [100_000, 'n99999', 'n0', 0]);
  assert.equal(findCycle(graph), undefined);
  assert.equal(findCycle(new Map([...graph, ['n100000', ['n0']]]))?.length, 100_001);
});
