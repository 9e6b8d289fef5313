import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readableBytes, short, shortDigest, table } from './output.ts';

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

test('bytes are shown in units of 1024 with at most one digit after the point', () => {
  const shown = [0, 1, 1023, 1024, 1536, 10_240, 1_048_575, 1_048_576, 104_857_600, 1_610_612_736, 2 ** 50 * 5000];
  assert.deepEqual(shown.map(readableBytes), [
    '0 B',
    '1 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '10 KiB',
    '1 MiB',
    '1 MiB',
    '100 MiB',
    '1.5 GiB',
    '5000 PiB',
  ]);
  assert.equal(readableBytes(null), '-');
});
