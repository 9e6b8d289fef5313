import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeDigest } from '@coppice/model';
import { buildNode, buildSpec, nodeName, observedGeneration, observedInstance, relatedTo } from '@coppice/model/builders';
import { networkPolicy, type PolicyInput, servingDigests } from './network-policy.ts';

const input: PolicyInput = { nodes: [], generations: [], serving: new Map(), jobs: new Map(), addressOf: (node) => `address of ${node}` };

test('what is related may be reached at its port, each edge once and in order; what is not there leads nowhere', () => {
  const db = buildNode('db', { kind: 'service', egress: 'none' });
  const web = buildNode('web', {
    relationships: [
      relatedTo('web'),
      relatedTo('reader', { node: db.name, port: 5433 }),
      relatedTo('writer', { node: db.name, port: 5432 }),
      relatedTo('again', { node: db.name, port: 5432 }),
      relatedTo('gone'),
    ],
  });
  const api = buildNode('api', { egress: [], relationships: [relatedTo('web')] });
  const node = { instances: [], serving: [] };
  assert.deepEqual(networkPolicy({ ...input, nodes: [web, db, api] }), {
    nodes: [
      { ...node, node: 'api', address: 'address of api', egress: [] },
      { ...node, node: 'db', address: 'address of db', egress: 'none' },
      { ...node, node: 'web', address: 'address of web', egress: 'open' },
    ],
    edges: [
      { from: 'api', to: 'web', port: 8080 },
      { from: 'web', to: 'db', port: 5432 },
      { from: 'web', to: 'db', port: 5433 },
      { from: 'web', to: 'web', port: 8080 },
    ],
  });
});

test('all that runs of a node may open connections, its jobs too, but only the serving generation is reached', () => {
  const before = buildNode('web', { code: 'before' });
  const web = buildNode('web', { code: 'after' });
  const generations = [
    observedGeneration(web, {
      instances: [observedInstance(web, 0, { address: '10.0.0.9' }), observedInstance(web, 1, { address: '10.0.0.3' })],
    }),
    observedGeneration(before, { instances: [observedInstance(before, 0, { address: '10.0.0.4' })] }),
    observedGeneration(buildNode('other')),
  ];
  const jobs = new Map([[web.name, ['10.0.0.2']]]);
  const policyOf = (serving: PolicyInput['serving']): unknown =>
    networkPolicy({ ...input, nodes: [web], generations, jobs, serving }).nodes;
  const node = {
    node: 'web',
    address: 'address of web',
    instances: ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.9'],
    egress: 'open',
  };
  assert.deepEqual(policyOf(new Map([[web.name, nodeDigest(web)]])), [{ ...node, serving: ['10.0.0.3', '10.0.0.9'] }]);
  assert.deepEqual(policyOf(new Map([[web.name, nodeDigest(before)]])), [{ ...node, serving: ['10.0.0.4'] }]);
  assert.deepEqual(policyOf(new Map()), [{ ...node, serving: [] }]);
});

test('an instance that does not run, or has no address yet, takes no part', () => {
  const web = buildNode('web');
  const instances = [
    observedInstance(web, 0, { state: 'exited' }),
    observedInstance(web, 1, { state: 'created' }),
    observedInstance(web, 2, { address: undefined }),
  ];
  const generations = [observedGeneration(web, { instances })];
  assert.deepEqual(networkPolicy({ ...input, nodes: [web], generations, serving: servingDigests(buildSpec([web])) }).nodes, [
    { node: 'web', address: 'address of web', instances: [], serving: [], egress: 'open' },
  ]);
});

test('of a node that is given twice, as it was and as it shall be, the later counts', () => {
  const [before, after] = [buildNode('web', { egress: 'open' }), buildNode('web', { egress: 'none' })];
  assert.deepEqual(
    networkPolicy({ ...input, nodes: [before, after] }).nodes.map(({ node, egress }) => [node, egress]),
    [['web', 'none']],
  );
});

test('a spec serves with the digests of its nodes', () => {
  const web = buildNode('web');
  assert.deepEqual(servingDigests(buildSpec([web])), new Map([[nodeName('web'), nodeDigest(web)]]));
});
