import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, topologyOf, web } from './reading-fixture.ts';

const of = (...lines: readonly string[]) => {
  const [node] = topologyOf(web(...lines)).nodes;
  return node?.kind === 'application' ? node.build : undefined;
};

test('a step is a command, or one with the files it reads', () => {
  assert.deepEqual(of('build: make'), [{ run: 'make', inputs: undefined }]);
  assert.deepEqual(of('build: [{ run: npm ci, inputs: [package.json, ./package-lock.json] }, npm run build]'), [
    { run: 'npm ci', inputs: ['package.json', 'package-lock.json'] },
    { run: 'npm run build', inputs: undefined },
  ]);
});

test('no build means the type decides, an empty list that nothing is built', () => {
  assert.equal(of(), undefined);
  assert.deepEqual(of('build: []'), []);
});

test('hooks.build leaves the steps as they are, the type’s own too', () => {
  const [node] = topologyOf(web('hooks:', '  build: |', '    set -e', '    make')).nodes;
  assert.deepEqual(node?.kind === 'application' && [node.build, node.hooks.build], [undefined, 'set -e\nmake\n']);
});

test('hooks are scripts; one of nothing is none', () => {
  const [node] = topologyOf(web('hooks: { build: "", deploy: migrate, post_deploy: }')).nodes;
  assert.deepEqual(node?.kind === 'application' && [node.build, node.hooks], [
    undefined,
    { build: undefined, deploy: 'migrate', postDeploy: undefined },
  ]);
});

test('build.flavor is ignored and said so', () => {
  const { topology, inactive } = read(web('build: { flavor: none }'));
  assert.deepEqual(inactive, ['coppice.yaml:5:14  build.flavor of web is ignored']);
  assert.equal(topology?.nodes[0]?.kind === 'application' && topology.nodes[0].build, undefined);
});

test('inputs outside the source root are errors', () => {
  assert.deepEqual(complaints(web('build: [{ run: a, inputs: [../x, /etc/passwd] }]')), [
    'coppice.yaml:5:32  inputs: "../x" is no path below the source root; write a relative path or glob without ".."',
    'coppice.yaml:5:38  inputs: "/etc/passwd" is no path below the source root; write a relative path or glob without ".."',
  ]);
});
