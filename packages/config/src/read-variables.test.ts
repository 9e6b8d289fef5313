import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, topologyOf, web } from './reading-fixture.ts';

test('numbers and booleans become text the way they are written', () => {
  const [node] = topologyOf(web('variables: { env: { A: 1.10, B: true, C: 0x1F, D: -0, E: "x", F: 1e3, G: "" } }')).nodes;
  assert.deepEqual(node?.kind === 'application' && node.variables, { A: '1.10', B: 'true', C: '0x1F', D: '-0', E: 'x', F: '1e3', G: '' });
});

test('names that no shell takes are errors, and so is a list', () => {
  assert.deepEqual(complaints(web('variables: { env: { 1A: x, B-C: x, D: [1] } }')), [
    `coppice.yaml:5:25  env: "1A" is no name for this; a variable's name has letters, digits and underscores and starts with no digit`,
    `coppice.yaml:5:32  env: "B-C" is no name for this; a variable's name has letters, digits and underscores and starts with no digit`,
    'coppice.yaml:5:43  D: this must be text, a number or true or false, not a list',
  ]);
});

test('a variable that stands beside env says where it belongs', () => {
  assert.deepEqual(complaints(web('variables: { NODE_ENV: production }')), [
    'coppice.yaml:5:28  NODE_ENV: this must be a map, not "production"; environment variables stand under env: variables: { env: { NAME: value } }',
  ]);
});

test('other prefixes are accepted and said not to be passed on', () => {
  const { diagnostics, inactive } = read(web('variables: { env: {}, php: { memory_limit: 1G } }'));
  assert.deepEqual([diagnostics, inactive], [[], ['coppice.yaml:5:27  this prefix of variables is not passed on yet']]);
});

test('what the platform sets is warned of', () => {
  assert.deepEqual(complaints(web('variables: { env: { PORT: 1, PLATFORM_BRANCH: x, COPPICE_RELEASE: x, PORTAL: x } }')), [
    'coppice.yaml:5:25  env: PORT is set by the platform; this value is not used',
    'coppice.yaml:5:34  env: PLATFORM_BRANCH is set by the platform; this value is not used',
    'coppice.yaml:5:54  env: COPPICE_RELEASE is set by the platform; this value is not used',
  ]);
});
