import assert from 'node:assert/strict';
import { test } from 'node:test';
import { short, shortDigest, table } from './output.ts';

test('a table has a head in capitals, columns as wide as their widest cell, and no space at the end of a line', () => {
  const rows = [
    ['web', 'application', 'ready'],
    ['database', 'service', ''],
  ];
  assert.equal(
    table(['node', 'kind', 'status'], rows, 'no node'),
    ['NODE      KIND         STATUS', 'web       application  ready', 'database  service'].join('\n'),
  );
});

test('a table without rows is what is said instead', () => {
  assert.equal(table(['node'], [], 'no node runs'), 'no node runs');
});

test('wide characters count as two columns, combining ones as none', () => {
  const rows = [
    ['日本', 'a'],
    ['e\u0301tude', 'b'],
  ];
  assert.equal(table(['x', 'y'], rows, ''), ['X      Y', '日本   a', 'e\u0301tude  b'].join('\n'));
});

test('cells keep to one line and cannot drive the terminal', () => {
  assert.equal(table(['reason'], [['\u001b[31mred\u001b[0m\nnext\u0007\u202e']], ''), 'REASON\nred next');
});

test('a git id is shortened to 7 digits, a digest to 12 without its algorithm', () => {
  assert.deepEqual(
    [short('0123456789abcdef0123456789abcdef01234567'), shortDigest(`sha256:${'0123456789abcdef'.repeat(4)}`)],
    ['0123456', '0123456789ab'],
  );
});
