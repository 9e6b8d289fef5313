import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSpec, ReadinessSpec, TopologyNode } from '@coppice/model';
import { nodeName } from '@coppice/model/builders';
import { application, builtImage, codeType, databaseType, service, worker } from './release-fixture.ts';
import { type NodeContext, type ResolvedOrigin, resolveNode } from './resolve-node.ts';

const code: ResolvedOrigin = { kind: 'type', type: codeType, built: builtImage('code') };
const database: ResolvedOrigin = { kind: 'type', type: databaseType, built: builtImage('database') };
const foreignPin = { ...builtImage('foreign').image, foreign: 'example.org/api@sha256:0' };
const foreign: ResolvedOrigin = { kind: 'foreign', image: foreignPin };
const sourceTree = 'b'.repeat(40);

function resolved(node: TopologyNode, origin: ResolvedOrigin, others: readonly (readonly [TopologyNode, ResolvedOrigin])[] = []): NodeSpec {
  const owner = node.kind === 'worker' ? node.application : node.name;
  const context: NodeContext = {
    nodes: new Map([[node.name, node] as const, ...others.map(([other]) => [other.name, other] as const)]),
    origins: new Map([[owner, origin] as const, ...others.map(([other, found]) => [other.name, found] as const)]),
    sources: new Map([[owner, sourceTree]]),
  };
  return resolveNode(node, context);
}

const web = application('web', {
  preStart: 'mkdir -p tmp',
  postStart: 'warm',
  hooks: { build: 'make', deploy: 'migrate', postDeploy: 'tell' },
  relationships: [{ name: 'sql', node: nodeName('db'), endpoint: 'sql' }],
  mounts: [
    { path: 'uploads', source: 'storage', sourcePath: 'files', exclusive: false },
    { path: 'index', source: 'instance', sourcePath: 'index', exclusive: true },
    { path: 'tmp/cache', source: 'tmp', sourcePath: 'unused', exclusive: false },
  ],
  variables: { MODE: 'mine', LEVEL: 'info' },
  resources: { memoryBytes: 400 },
  instances: 3,
  healthcheck: { path: '/health', command: undefined, intervalMs: 5_000, timeoutMs: 1_000 },
  stopGraceMs: 30_000,
  firewall: [{ protocol: 'tcp', hosts: ['a.org'], ports: [443] }],
  movedFrom: nodeName('old'),
});

const webSpec: NodeSpec = {
  name: nodeName('web'),
  kind: 'application',
  image: builtImage('code').image,
  argv: ['/bin/sh', '-c', 'set -e\nmkdir -p tmp\nexec serve me'],
  user: '1001:1002',
  workingDirectory: '/work',
  variables: { LANG: 'C.UTF-8', MODE: 'mine', LEVEL: 'info' },
  capabilities: ['CHOWN'],
  ports: { http: 8080 },
  relationships: [
    {
      name: 'sql',
      node: nodeName('db'),
      endpoint: 'sql',
      scheme: 'sql',
      port: 5432,
      path: 'main',
      credentials: true,
      privileges: {},
      extra: {},
    },
  ],
  mounts: [
    { target: '/app/uploads', source: 'storage', volume: 'files', exclusive: false },
    { target: '/app/index', source: 'instance', volume: 'index', exclusive: true },
    { target: '/app/tmp/cache', source: 'tmp', volume: '', exclusive: false },
  ],
  tmpfs: ['/tmp', '/cache'],
  egress: [{ protocol: 'tcp', hosts: ['a.org'], ports: [443] }],
  provision: undefined,
  resources: { cpu: 0.75, memoryBytes: 400, diskBytes: 20 },
  instances: 3,
  readiness: {
    probe: { kind: 'http', port: 8080, path: '/health' },
    everyMs: 20,
    withinMs: 60_000,
    intervalMs: 5_000,
    timeoutMs: 1_000,
  },
  stop: { signal: 'SIGQUIT', graceMs: 30_000 },
  hooks: { deploy: 'migrate', postDeploy: 'tell', postStart: 'warm' },
  quiesce: undefined,
  movedFrom: nodeName('old'),
  trace: { type: 'code', version: '24', sourceTree, buildKey: builtImage('code').key },
};

test('an application is what its type gives, with what the file says over it', () => {
  assert.deepEqual(resolved(web, code, [[service('db'), database]]), webSpec);
});

test('an application of a foreign image runs as it comes, as a user without rights', () => {
  const api = application('api', { origin: { kind: 'image', reference: foreignPin.foreign }, start: undefined });
  assert.deepEqual(resolved(api, foreign), {
    ...webSpec,
    name: 'api',
    image: foreignPin,
    argv: [],
    user: '10000:10000',
    workingDirectory: '/app',
    variables: {},
    capabilities: [],
    relationships: [],
    mounts: [],
    tmpfs: ['/tmp'],
    egress: 'open',
    resources: { cpu: 0.5, memoryBytes: 256 * 1024 * 1024, diskBytes: 0 },
    instances: 1,
    readiness: { probe: { kind: 'tcp', port: 8080 }, everyMs: 20, withinMs: 60_000, intervalMs: 10_000, timeoutMs: 2_000 },
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    hooks: { deploy: undefined, postDeploy: undefined, postStart: undefined },
    movedFrom: undefined,
    trace: { type: 'image', version: foreignPin.manifest, sourceTree: undefined, buildKey: undefined },
  });
});

test('a worker is another process of its application’s image and source, and shares its kept folders', () => {
  const { name: _name, kind: _kind, ...common } = web;
  const mail = worker('web', 'mail', { ...common, preStart: undefined, start: 'node mail.js' });
  assert.deepEqual(resolved(mail, code, [[service('db'), database]]), {
    ...webSpec,
    name: 'web--mail',
    kind: 'worker',
    argv: ['/bin/sh', '-c', 'exec node mail.js'],
    ports: {},
    mounts: [
      { target: '/app/uploads', source: 'storage', volume: 'files', exclusive: false, node: 'web' },
      { target: '/app/index', source: 'instance', volume: 'index', exclusive: true },
      { target: '/app/tmp/cache', source: 'tmp', volume: '', exclusive: false },
    ],
    readiness: { ...webSpec.readiness, probe: { kind: 'alive', forMs: 2_000 } },
    hooks: { deploy: undefined, postDeploy: undefined, postStart: 'warm' },
    movedFrom: undefined,
  });
});

const dbSpec: NodeSpec = {
  ...webSpec,
  name: nodeName('db'),
  kind: 'service',
  image: builtImage('database').image,
  argv: ['databased', '--quiet', 'max_connections 20'],
  workingDirectory: '/data',
  variables: { LANG: 'C.UTF-8', MODE: 'production' },
  capabilities: [],
  ports: { sql: 5432, metrics: 9187 },
  relationships: [],
  mounts: [{ target: '/data', source: 'instance', volume: 'data', exclusive: true }],
  tmpfs: ['/run'],
  egress: 'none',
  provision: { argv: ['provision'], schemas: ['main', 'other'] },
  resources: { cpu: 0.75, memoryBytes: 300, diskBytes: 50 },
  instances: 1,
  readiness: { probe: { kind: 'tcp', port: 5432 }, everyMs: 25, withinMs: 90_000, intervalMs: 10_000, timeoutMs: 5_000 },
  stop: { signal: 'SIGQUIT', graceMs: 7_000 },
  hooks: { deploy: undefined, postDeploy: undefined, postStart: undefined },
  quiesce: ['checkpoint'],
  movedFrom: undefined,
  trace: { type: 'database', version: '15', sourceTree: undefined, buildKey: builtImage('database').key },
};

test('a service is its type, with the schemas, properties and sizes that the file gives', () => {
  const properties = { max_connections: 20, unknown: 'x' };
  const db = service('db', { configuration: { schemas: ['main', 'other'], endpoints: {}, properties }, resources: { diskBytes: 50 } });
  assert.deepEqual(resolved(db, database), dbSpec);
});

test('a service of which the file says nothing has its type’s schemas', () => {
  assert.deepEqual(resolved(service('db'), database).provision, { argv: ['provision'], schemas: ['main'] });
});

test('a service of a foreign image is ready once it stays alive', () => {
  assert.deepEqual(resolved(service('db'), foreign), {
    ...dbSpec,
    image: foreignPin,
    argv: [],
    user: '10000:10000',
    workingDirectory: '/',
    variables: {},
    ports: {},
    mounts: [],
    tmpfs: ['/tmp', '/run'],
    provision: undefined,
    resources: { cpu: 0.5, memoryBytes: 256 * 1024 * 1024, diskBytes: 0 },
    readiness: { probe: { kind: 'alive', forMs: 2_000 }, everyMs: 100, withinMs: 60_000, intervalMs: 10_000, timeoutMs: 5_000 },
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    quiesce: undefined,
    trace: { type: 'image', version: foreignPin.manifest, sourceTree: undefined, buildKey: undefined },
  });
});

test('a relationship carries the endpoint it names, the schema and the rights that the service gives it', () => {
  const endpoints = { reporter: { defaultSchema: 'other', privileges: { other: 'ro' } } } as const;
  const db = service('db', { configuration: { schemas: ['first', 'other'], endpoints, properties: {} } });
  const relationships = ['sql', 'metrics', 'reporter'].map((endpoint) => ({ name: endpoint, node: db.name, endpoint }));
  const sql = { node: 'db', scheme: 'sql', port: 5432, credentials: true, privileges: {}, extra: {} };
  assert.deepEqual(resolved(application('web', { relationships }), code, [[db, database]]).relationships, [
    { ...sql, name: 'sql', endpoint: 'sql', path: 'first' },
    { ...sql, name: 'metrics', endpoint: 'metrics', scheme: 'http', port: 9187, path: '', credentials: false },
    { ...sql, name: 'reporter', endpoint: 'reporter', path: 'other', privileges: { other: 'ro' } },
  ]);
});

test('applications, and services of a foreign image, are reached by HTTP at the application’s port', () => {
  const others = [
    [application('api'), code],
    [service('search'), foreign],
  ] as const;
  const relationships = others.map(([{ name }]) => ({ name, node: name, endpoint: 'http' }));
  const http = { endpoint: 'http', scheme: 'http', port: 8080, path: '', credentials: false, privileges: {}, extra: {} };
  assert.deepEqual(resolved(application('web', { relationships }), code, others).relationships, [
    { ...http, name: 'api', node: 'api' },
    { ...http, name: 'search', node: 'search' },
  ]);
});

test('what serves HTTP is probed by command, path or port, in that order; what does not by command or by staying alive', () => {
  const common = { everyMs: 20, withinMs: 60_000, intervalMs: 3, timeoutMs: 2 };
  const check = { path: undefined, command: undefined, intervalMs: 3, timeoutMs: 2 };
  const command = { kind: 'command', argv: ['/bin/sh', '-c', './check'] };
  const off = { enabled: false, protocol: 'http', locations: {} } as const;
  const readiness = (node: TopologyNode): ReadinessSpec => resolved(node, code).readiness;
  assert.deepEqual(
    {
      webCommand: readiness(application('web', { healthcheck: { ...check, path: '/', command: './check' } })),
      webPath: readiness(application('web', { healthcheck: { ...check, path: '/' } })),
      web: readiness(application('web', { healthcheck: check })),
      offCommand: readiness(application('web', { web: off, healthcheck: { ...check, command: './check' } })),
      offPath: readiness(application('web', { web: off, healthcheck: { ...check, path: '/' } })),
      workerCommand: readiness(worker('web', 'mail', { healthcheck: { ...check, command: './check' } })),
    },
    {
      webCommand: { ...common, probe: command },
      webPath: { ...common, probe: { kind: 'http', port: 8080, path: '/' } },
      web: { ...common, probe: { kind: 'tcp', port: 8080 } },
      offCommand: { ...common, probe: command, everyMs: 250 },
      offPath: { ...common, probe: { kind: 'alive', forMs: 2_000 } },
      workerCommand: { ...common, probe: command, everyMs: 250 },
    },
  );
});

test('an application that serves no HTTP has no port', () => {
  assert.deepEqual(resolved(application('jobs', { web: { enabled: false, protocol: 'http', locations: {} } }), code).ports, {});
});
