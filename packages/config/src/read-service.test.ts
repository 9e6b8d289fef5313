import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, topologyOf, web } from './reading-fixture.ts';

test('the short form is the type, and all else has a default', () => {
  assert.deepEqual(topologyOf('services: { db: postgresql:15 }').nodes, [
    {
      kind: 'service',
      name: 'db',
      origin: { kind: 'type', type: { name: 'postgresql', version: '15' } },
      configuration: { schemas: [], endpoints: {}, properties: {} },
      relationships: [],
      resources: {},
      versionPin: undefined,
      movedFrom: undefined,
    },
  ]);
});

const configured = [
  'services:',
  '  db:',
  '    type: postgresql:15',
  '    configuration:',
  '      schemas: [main, other]',
  '      endpoints:',
  '        admin: { default_schema: main, privileges: { main: admin, other: ro } }',
  '      properties: { max_connections: 20 }',
  '    resources: { memory: 512M, disk: 2G }',
  '    version: 15.10',
].join('\n');

test('schemas, endpoints and properties are read', () => {
  const [node] = topologyOf(configured).nodes;
  assert.deepEqual(node?.kind === 'service' && [node.configuration, node.resources, node.versionPin], [
    {
      schemas: ['main', 'other'],
      endpoints: { admin: { defaultSchema: 'main', privileges: { main: 'admin', other: 'ro' } } },
      properties: { max_connections: 20 },
    },
    { memoryBytes: 2 ** 29, diskBytes: 2 ** 31 },
    '15.10',
  ]);
});

test('a relationship may choose an endpoint that the service declares', () => {
  const node = topologyOf(`${web('relationships: { admin: "db:admin" }')}${configured}`).nodes.find((each) => each.name === 'web');
  assert.deepEqual(node?.relationships, [{ name: 'admin', node: 'db', endpoint: 'admin' }]);
});

test('schemas and properties that are not there are errors', () => {
  const configuration =
    '{ schemas: [main], endpoints: { a: { default_schema: mian, privileges: { other: ro } } }, properties: { work_men: 1 } }';
  assert.deepEqual(complaints(`services:\n  db:\n    type: postgresql:15\n    configuration: ${configuration}\n`), [
    'coppice.yaml:4:73  endpoints: no schema is named "mian"; did you mean "main"?',
    'coppice.yaml:4:93  endpoints: no schema is named "other"; there are: main',
    'coppice.yaml:4:124  properties: postgresql has no property "work_men"; did you mean "work_mem"?',
  ]);
  assert.deepEqual(complaints('services: { db: { type: postgresql:15, configuration: { schemas: [a, a] } } }'), [
    'coppice.yaml:1:66  schemas: an entry stands here twice',
  ]);
});

test('a node cannot have moved from one that is still there', () => {
  assert.deepEqual(complaints('services: { a: redis:7, b: { type: redis:7, moved: { from: a } } }'), [
    'coppice.yaml:1:60  moved: "a" is still declared; name what it was called before',
  ]);
  assert.equal(topologyOf('services: { b: { type: redis:7, moved: { from: a } } }').nodes[0]?.kind, 'service');
});

test('two nodes cannot both have been the same one', () => {
  const services = 'services: { a: { type: redis:7, moved: { from: old } }, b: { type: redis:7, moved: { from: old } } }';
  assert.deepEqual(complaints(services), [
    'coppice.yaml:1:92  moved: "old" is where the data of "a" comes from; only one node can have it',
  ]);
  assert.deepEqual(complaints(`${web('moved: { from: old }')}${services.replace('a: { type: redis:7, moved: { from: old } }, ', '')}\n`), [
    'coppice.yaml:6:48  moved: "old" is where the data of "web" comes from; only one node can have it',
  ]);
});
