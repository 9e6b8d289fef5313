import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldReasons } from './node-reasons.ts';

test('a record that is new or gone is named, not printed', () => {
  const cache = { name: 'cache', endpoint: 'redis' };
  assert.deepEqual(fieldReasons('relationships', {}, { cache }), [
    { kind: 'field', field: 'relationships.cache', from: 'none', to: 'declared' },
  ]);
  assert.deepEqual(fieldReasons('relationships', { cache }, {}), [
    { kind: 'field', field: 'relationships.cache', from: 'declared', to: 'none' },
  ]);
});

test('what changed within a record is printed', () => {
  assert.deepEqual(fieldReasons('relationships', { cache: { endpoint: 'a' } }, { cache: { endpoint: 'b' } }), [
    { kind: 'field', field: 'relationships.cache.endpoint', from: 'a', to: 'b' },
  ]);
});
