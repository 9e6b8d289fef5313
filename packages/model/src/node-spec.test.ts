import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from './identifiers.ts';
import { type NodeSpec, nodeDigest, nodeFieldChange } from './node-spec.ts';
import { buildNode, mountAt, nodeName, relatedTo } from './spec-builders.ts';

test('the digest of a fixed node is fixed: a change of the scheme would replace every running container', () => {
  const node = buildNode('web', { variables: { LEVEL: 'info' }, relationships: [relatedTo('db')], mounts: [mountAt('/app/uploads')] });
  assert.equal(nodeDigest(node), 'sha256:384d6919fbbf88dd14de4f84562c27c163de4fac2eba5fa9da4c2edd70e996c3');
});

/** Another value for each field. */
const others: { readonly [Field in keyof NodeSpec]: NodeSpec[Field] } = {
  name: nodeName('other'),
  kind: 'worker',
  image: { manifest: sha256('other'), config: sha256('other') },
  argv: ['other'],
  user: '1:1',
  workingDirectory: '/other',
  variables: { OTHER: '1' },
  capabilities: ['CHOWN'],
  ports: { http: 1 },
  relationships: [relatedTo('other')],
  mounts: [mountAt('/other')],
  tmpfs: ['/other'],
  egress: 'none',
  provision: { argv: ['other'], schemas: [] },
  resources: { cpu: 9, memoryBytes: 9, diskBytes: 9 },
  instances: 9,
  readiness: { probe: { kind: 'alive', forMs: 1 }, everyMs: 1, withinMs: 1, intervalMs: 1, timeoutMs: 1 },
  stop: { signal: 'SIGINT', graceMs: 1 },
  hooks: { deploy: 'other', postDeploy: 'other', postStart: 'other' },
  quiesce: ['other'],
  movedFrom: nodeName('other'),
  trace: { type: 'other', version: '9', sourceTree: undefined, buildKey: undefined },
};

for (const field of Object.keys(nodeFieldChange) as (keyof NodeSpec)[]) {
  const enters = nodeFieldChange[field] === 'replace';
  test(`${field} ${enters ? 'enters' : 'does not enter'} the digest`, () => {
    const node = buildNode('web');
    assert.equal(nodeDigest({ ...node, [field]: others[field] }) !== nodeDigest(node), enters);
  });
}

test('empty collections do not enter, so a new field leaves old digests as they are', () => {
  const { capabilities, ...older } = buildNode('web', { capabilities: [] });
  assert.equal(nodeDigest(older as NodeSpec), nodeDigest({ ...older, capabilities }));
});

test('of an image only the manifest enters: where it comes from does not', () => {
  const node = buildNode('web');
  assert.equal(nodeDigest({ ...node, image: { ...node.image, config: sha256('x'), foreign: 'host/name@sha256:1' } }), nodeDigest(node));
});
