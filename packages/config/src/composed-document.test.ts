import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read } from './reading-fixture.ts';

test('a tab that indents is named as what it is, once per line', () => {
  assert.deepEqual(complaints('applications:\n\tweb:\n\t\ttype: nodejs:24\n'), [
    'coppice.yaml:2:1  a tab may not indent; indent with spaces, two per level',
    'coppice.yaml:3:1  a tab may not indent; indent with spaces, two per level',
  ]);
});

test('a tab after spaces too', () => {
  assert.deepEqual(complaints('applications:\n  web:\n    type: nodejs:24\n  \tstart: x\n'), [
    'coppice.yaml:4:3  a tab may not indent; indent with spaces, two per level',
  ]);
});

test('broken YAML is told with its place', () => {
  assert.deepEqual(complaints('applications:\n  web:\n    start: a: b\n'), [
    'coppice.yaml:3:12  a second ":" on one line; put the text in quotes, or start the map on a line of its own',
  ]);
  assert.deepEqual(complaints('a: [1, 2\n'), ['coppice.yaml:2:1  a [ or { above is not closed; close it with ] or }']);
  assert.deepEqual(complaints('a: "b\n'), ['coppice.yaml:2:1  this is no YAML: Missing closing "quote']);
});

test('thousands of syntax errors give twenty lines, the last of which counts the rest', () => {
  const { diagnostics } = read('"'.repeat(60_000));
  assert.equal(diagnostics.length, 20);
  assert.match(diagnostics.at(-1)?.message ?? '', /^… and \d{4,} more$/);
});

test('reading leaves stack traces as they were', () => {
  const before = Error.stackTraceLimit;
  read('a: [');
  assert.equal(Error.stackTraceLimit, before);
});
