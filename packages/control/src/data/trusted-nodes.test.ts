import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSpec } from '@coppice/model';
import { buildNode, relatedTo } from '@coppice/model/builders';
import { trustedNodes } from './trusted-nodes.ts';

const db = buildNode('db', { kind: 'service' });
const foreign = ofImage('sha256:1');
const auth = buildNode('auth', { relationships: [relatedTo('db')] });

function ofImage(version: string): NodeSpec {
  const node = buildNode('search', { kind: 'service', code: version });
  return { ...node, trace: { ...node.trace, type: 'image', version } };
}

function trusted(nodes: readonly NodeSpec[]): readonly string[] {
  return [...trustedNodes(nodes, [buildNode('db', { kind: 'service', code: 'older' }), foreign, auth])].sort();
}

test('services of the catalog are trusted in any version, what else there is where it is exactly as where the data comes from', () => {
  assert.deepEqual(trusted([db, foreign, auth]), ['auth', 'db', 'search']);
  assert.deepEqual(trusted([db, ofImage('sha256:2'), buildNode('auth', { code: 'other', relationships: [relatedTo('db')] })]), ['db']);
});

test('what needs something that is not trusted is not trusted, through any number of others', () => {
  const chain = [
    buildNode('a', { relationships: [relatedTo('b')] }),
    buildNode('b', { relationships: [relatedTo('c')] }),
    buildNode('c', { code: 'of the branch' }),
  ];
  const [a, b] = chain as [NodeSpec, NodeSpec, NodeSpec];
  assert.deepEqual([...trustedNodes(chain, [a, b])], []);
  assert.deepEqual([...trustedNodes([a, b], [a, b])], ['a', 'b']);
});
