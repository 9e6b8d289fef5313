import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, topologyOf, web } from './reading-fixture.ts';

const of = (...lines: readonly string[]) => {
  const [node] = topologyOf(web(...lines)).nodes;
  return node?.kind === 'application' ? node.mounts : undefined;
};

test('the short form is the source, and instance is exclusive', () => {
  assert.deepEqual(of('mounts: { uploads: storage, index: instance, cache: tmp }'), [
    { path: 'cache', source: 'tmp', sourcePath: 'cache', exclusive: false },
    { path: 'index', source: 'instance', sourcePath: 'index', exclusive: true },
    { path: 'uploads', source: 'storage', sourcePath: 'uploads', exclusive: false },
  ]);
});

test('the full form may name a folder of the source and who may hold it', () => {
  assert.deepEqual(of('mounts: { "./var//up/": { source: storage, source_path: files/a, exclusive: true } }'), [
    { path: 'var/up', source: 'storage', sourcePath: 'files/a', exclusive: true },
  ]);
});

test('paths that are absolute or lead out are errors', () => {
  assert.deepEqual(
    complaints(
      web('mounts:', '  /etc: storage', '  ../x: tmp', '  a/../../b: tmp', '  .: tmp', '  ok: { source: storage, source_path: ../../etc }'),
    ),
    [
      'coppice.yaml:6:7  mounts: "/etc" is no folder below the application\'s; write "etc"',
      'coppice.yaml:7:7  mounts: "../x" is no folder below the application\'s; write a relative path without ".."',
      'coppice.yaml:8:7  mounts: "a/../../b" is no folder below the application\'s; write a relative path without ".."',
      'coppice.yaml:9:7  mounts: "." is no folder below the application\'s; write a relative path without ".."',
      'coppice.yaml:10:43  source_path: "../../etc" is no folder of the source; write a relative path without ".."',
    ],
  );
});

test('mounts within each other, or twice at one place, are errors', () => {
  assert.deepEqual(complaints(web('mounts:', '  var/a: tmp', '  var: storage', '  var/: tmp', '  various: tmp')), [
    'coppice.yaml:6:7  mounts: "var/a" overlaps with "var"; mounts may not lie within each other',
    'coppice.yaml:8:7  mounts: "var/" overlaps with "var"; mounts may not lie within each other',
  ]);
});

test('several instances cannot share an exclusive mount, also not by a rule for branches', () => {
  const message = 'cannot share the mount "data", which one instance holds at a time; use one instance, or the source storage';
  assert.deepEqual(complaints(web('mounts: { data: instance }', 'instances: 2')), [`coppice.yaml:6:16  instances: 2 ${message}`]);
  assert.deepEqual(complaints(`${web('mounts: { data: instance }')}environments: [{ match: main, instances: { web: 3 } }]\n`), [
    `coppice.yaml:6:49  instances: 3 ${message}`,
  ]);
  assert.deepEqual(complaints(web('mounts: { data: { source: instance, exclusive: false } }', 'instances: 2')), []);
});
