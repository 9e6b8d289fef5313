import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName, suggestion } from './nearest-name.ts';

test('the nearest name is found by inserts, deletes, changes and swaps', () => {
  const names = ['database', 'cache', 'web'];
  assert.equal(nearestName('databse', names), 'database');
  assert.equal(nearestName('databases', names), 'database');
  assert.equal(nearestName('cahce', names), 'cache');
  assert.equal(nearestName('wib', names), 'web');
  assert.equal(nearestName('WEB', names), 'web');
});

test('a name that is far from all has no nearest', () => {
  assert.equal(nearestName('elasticsearch', ['database', 'cache']), undefined);
  assert.equal(nearestName('x', ['database']), undefined);
  assert.equal(nearestName('a'.repeat(100_000), ['a'.repeat(99_999)]), undefined);
});

test('where nothing is near the names that are there are listed', () => {
  assert.equal(suggestion('elastic', ['db', 'cache']), 'there are: cache, db');
  assert.equal(suggestion('elastic', []), 'there are none');
});
