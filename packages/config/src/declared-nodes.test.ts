import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, topologyOf, web } from './reading-fixture.ts';

const rule = 'a name starts with a letter and has lower-case letters, digits and single hyphens or underscores between them';

test('names are checked, and two hyphens are kept for workers', () => {
  for (const name of ['Web', '1a', 'a--b', 'a-', '-a', 'a.b', 'a b', 'wéb', '"$(id)"', 'a/b']) {
    const shown = name.startsWith('"') ? name : `"${name}"`;
    assert.deepEqual(complaints(`services:\n  ${name}: redis:7\n`), [`coppice.yaml:2:3  services: ${shown} is no name for this; ${rule}`]);
  }
});

test('a name has at most 40 characters', () => {
  const name = 'a'.repeat(41);
  assert.deepEqual(complaints(`services:\n  ${name}: redis:7\n`), [
    `coppice.yaml:2:3  services: the name "${name}" is longer than 40 characters`,
  ]);
  assert.equal(topologyOf(`services: { ${'a'.repeat(40)}: redis:7 }`).nodes.length, 1);
});

test('applications and services share one set of names', () => {
  assert.deepEqual(complaints(`${web()}services: { web: redis:7 }\n`), [
    'coppice.yaml:5:13  "web" is the name of an application already; applications and services share one set of names; the other is in line 2 of coppice.yaml',
  ]);
});

test("a worker's name and its application's are short enough for a host name together", () => {
  const [application, worker] = ['a'.repeat(40), 'w'.repeat(22)];
  assert.deepEqual(complaints(`applications: { ${application}: { type: static, workers: { ${worker}: { start: x } } } }`), [
    `coppice.yaml:1:86  workers: the names "${application}" and "${worker}" are longer than 61 characters together`,
  ]);
});

test('nodes are sorted by name whatever their order in the file', () => {
  const text = 'services: { b: redis:7, c: redis:7 }\napplications: { z: { type: static }, a: { type: static } }\nroutes: {}\n';
  assert.deepEqual(
    topologyOf(text).nodes.map((node) => node.name),
    ['a', 'b', 'c', 'z'],
  );
});
