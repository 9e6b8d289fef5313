import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, topologyOf, web } from './reading-fixture.ts';

test('a duplicate key is an error that names the first', () => {
  assert.deepEqual(complaints(web('instances: 1', 'instances: 2')), [
    'coppice.yaml:6:5  the key "instances" stands here twice; the first is in line 5',
  ]);
});

test('keys that are written differently and mean the same are duplicates', () => {
  assert.deepEqual(complaints(`${web()}services: { db: redis:7, "db": redis:6 }\n`), [
    'coppice.yaml:5:26  the key "db" stands here twice; the first is in line 5',
  ]);
});

test('ten thousand duplicate keys are found in less than a second', () => {
  const before = cpuMs();
  assert.equal(read('a: 1\n'.repeat(10_000)).diagnostics.length, 20);
  assert.ok(cpuMs() - before < 5000);
});

test('an alias is a copy of its value', () => {
  const text = 'applications:\n  a: &a { type: static }\n  b: *a\nroutes: {}\n';
  assert.deepEqual(
    topologyOf(text).nodes.map((node) => node.name),
    ['a', 'b'],
  );
});

test('aliases that multiply are refused by the number of values they stand for', () => {
  const levels = Array.from({ length: 12 }, (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`);
  const before = cpuMs();
  const messages = read(['l0: &l0 x', ...levels].join('\n')).diagnostics.map((diagnostic) => diagnostic.message);
  assert.deepEqual(messages, ['the file has more than 20000 keys and list entries, aliases expanded']);
  assert.ok(cpuMs() - before < 5000);
});

test('an alias within its own value, to nothing, and an anchor defined twice are errors', () => {
  assert.deepEqual(complaints('applications: &a\n  x: *a\nservices:\n  y: *b\n'), [
    'coppice.yaml:2:6  the alias "a" stands within its own value; put text that starts with * in quotes',
    'coppice.yaml:4:6  no anchor "b" stands above; put text that starts with * in quotes',
  ]);
  assert.deepEqual(complaints('services: { a: &x redis:7, b: &x redis:6 }'), [
    'coppice.yaml:1:28  the anchor "x" is defined twice; give each its own name',
  ]);
});

test('merge keys are refused', () => {
  assert.deepEqual(complaints(web('<<: { instances: 2 }')), ['coppice.yaml:5:5  merge keys (<<) are not read; write the keys out']);
});

test('names that every object has are refused, at every depth', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype']) {
    assert.deepEqual(complaints(web(`variables: { env: { ${name}: x } }`)), [
      `coppice.yaml:5:25  "${name}" cannot be used as a name; choose another one`,
    ]);
    assert.deepEqual(complaints(`${web()}services: { ${name}: redis:7 }\n`), [
      `coppice.yaml:5:13  "${name}" cannot be used as a name; choose another one`,
    ]);
  }
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('numbers that cannot be kept exactly are refused, not rounded', () => {
  assert.deepEqual(complaints(web('variables: { env: { A: 9007199254740993, B: .inf, C: .nan, D: "9007199254740993" } }')), [
    'coppice.yaml:5:28  "9007199254740993" is no number that can be kept exactly; put it in quotes where it is text',
    'coppice.yaml:5:49  ".inf" is no number that can be kept exactly; put it in quotes where it is text',
    'coppice.yaml:5:58  ".nan" is no number that can be kept exactly; put it in quotes where it is text',
  ]);
});

test('a key that is a list or nothing is an error', () => {
  assert.deepEqual(complaints(web('? [a]\n    : 1', ': 2')), [
    'coppice.yaml:5:7  a key must be text; put it in quotes',
    'coppice.yaml:7:1  a key must be text; put it in quotes',
  ]);
});

test('a key that is too long is refused', () => {
  assert.deepEqual(complaints(`${'k'.repeat(513)}: 1\n${web()}`), ['coppice.yaml:1:1  a key is longer than 512 characters']);
});

/** Time of the processor so far, in milliseconds: unlike the clock's, it does not grow while other tests run. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
