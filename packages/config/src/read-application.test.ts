import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplicationNode, WorkerNode } from '@coppice/model';
import { minimalExample } from './minimal-example.ts';
import { complaints, read, topologyOf, web } from './reading-fixture.ts';

const application = (...lines: readonly string[]): ApplicationNode => {
  const node = topologyOf(web(...lines)).nodes.find((each) => each.kind === 'application');
  if (node === undefined) throw new Error('there is no application');
  return node;
};
const worker = (...lines: readonly string[]): WorkerNode => {
  const node = topologyOf(`${web(...lines)}services: { db: redis:7, other: redis:7 }\n`).nodes.find((each) => each.kind === 'worker');
  if (node === undefined) throw new Error('there is no worker');
  return node;
};

test('an application of two lines has every default', () => {
  assert.deepEqual(application(), {
    kind: 'application',
    name: 'web',
    origin: { kind: 'type', type: { name: 'nodejs', version: '24' } },
    sourceRoot: '.',
    build: undefined,
    dependencies: {},
    hooks: { build: undefined, deploy: undefined, postDeploy: undefined },
    start: 'node server.js',
    preStart: undefined,
    postStart: undefined,
    relationships: [],
    mounts: [],
    variables: {},
    resources: {},
    firewall: undefined,
    stopGraceMs: undefined,
    instances: 1,
    healthcheck: { path: undefined, command: undefined, intervalMs: 10_000, timeoutMs: 5_000 },
    web: { enabled: true, protocol: 'http', locations: {} },
    crons: [],
    access: {},
    movedFrom: undefined,
  });
});

test('the minimal example is ten lines at most and sound', () => {
  assert.ok(minimalExample.trimEnd().split('\n').length <= 10);
  const topology = topologyOf(minimalExample);
  assert.deepEqual(
    topology.nodes.map((node) => [node.name, node.kind]),
    [
      ['cache', 'service'],
      ['db', 'service'],
      ['web', 'application'],
    ],
  );
});

test('start may stand under web.commands, with what runs before and after', () => {
  const text = 'applications: { web: { type: nodejs:24, web: { commands: { pre_start: a, start: b, post_start: c } } } }';
  const [node] = topologyOf(text).nodes;
  assert.deepEqual(node?.kind === 'application' && [node.preStart, node.start, node.postStart], ['a', 'b', 'c']);
});

test('start is needed where the type has no default, and given once', () => {
  assert.deepEqual(complaints('applications: { a: { type: nodejs:24 } }'), [
    'coppice.yaml:1:17  a: "start" is missing, and nodejs has no default; write start: and the command that listens on $PORT',
  ]);
  assert.deepEqual(complaints(web('web: { commands: { start: x } }')), [
    'coppice.yaml:4:5  start: the command is given twice, here and under commands; remove one of them',
  ]);
});

test('source.root is a folder of the repository', () => {
  assert.equal(application('source: { root: ./api/ }').sourceRoot, 'api');
  assert.equal(application('source: { root: / }').sourceRoot, '.');
  for (const root of ['..', '/etc', 'a/../..', '../other', 'a\\b']) {
    assert.deepEqual(complaints(web(`source: { root: ${root} }`)), [
      `coppice.yaml:5:21  root: ${JSON.stringify(root)} leads out of the repository; write a folder relative to the root of the repository`,
    ]);
  }
});

test('a worker takes from the application what it does not say', () => {
  const node = worker(
    'relationships: [db]',
    'mounts: { files: storage, index: instance }',
    'variables: { env: { A: b } }',
    'resources: { memory: 64M }',
    'stop_grace: 5s',
    'workers: { queue: { commands: { start: node worker.js } } }',
  );
  assert.deepEqual(node, {
    kind: 'worker',
    name: 'web--queue',
    application: 'web',
    start: 'node worker.js',
    preStart: undefined,
    postStart: undefined,
    relationships: [{ name: 'db', node: 'db', endpoint: 'redis' }],
    // What one instance may hold stays with the application.
    mounts: [{ path: 'files', source: 'storage', sourcePath: 'files', exclusive: false }],
    variables: { A: 'b' },
    resources: { memoryBytes: 2 ** 26 },
    firewall: undefined,
    stopGraceMs: 5000,
    instances: 1,
    healthcheck: { path: undefined, command: undefined, intervalMs: 10_000, timeoutMs: 5_000 },
  });
});

test('what a worker says itself replaces what the application says', () => {
  const node = worker(
    'relationships: [db]',
    'variables: { env: { A: b } }',
    'mounts: { files: storage }',
    'size: L',
    'instances: 3',
    'workers: { queue: { start: x, relationships: [other], variables: { env: { C: d } }, mounts: {}, size: S } }',
  );
  assert.deepEqual(
    [node.relationships, node.variables, node.mounts, node.resources, node.instances],
    [[{ name: 'other', node: 'other', endpoint: 'redis' }], { C: 'd' }, [], { cpu: 0.25, memoryBytes: 2 ** 27 }, 1],
  );
});

test('a worker may reach its own application', () => {
  assert.deepEqual(worker('workers: { queue: { start: x, relationships: [web] } }').relationships, [
    { name: 'web', node: 'web', endpoint: 'http' },
  ]);
});

test('a worker needs a command', () => {
  assert.deepEqual(complaints(web('workers: { queue: {} }')), [
    'coppice.yaml:5:16  queue: a worker needs a command to run; write start: node worker.js, say',
  ]);
});

test('a folder that the commit must have is told with its place', () => {
  const text = 'applications:\n  web:\n    type: static\n    source: { root: ./site/ }\n';
  assert.deepEqual(read(text).folders, [{ path: 'site', at: { file: 'coppice.yaml', line: 4, column: 21 } }]);
});
