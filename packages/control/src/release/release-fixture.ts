import type { ResolvedType } from '@coppice/catalog';
import type { BuiltImage } from '@coppice/images';
import { type ApplicationNode, digestOf, type ServiceNode, type Topology, type WorkerNode } from '@coppice/model';
import { nodeName } from '@coppice/model/builders';

/** For tests of releases: types and nodes with defaults, so that a test states only what differs. */

/** A type of applications, unlike the defaults of nodes without a type wherever it can be. */
export const codeType: ResolvedType = {
  name: 'code',
  kind: 'application',
  version: '24',
  debian: 'bookworm',
  base: { debian: 'bookworm', prepare: [], packages: [], npm: [], setup: [] },
  user: { uid: 1001, gid: 1002, name: 'app' },
  workingDirectory: '/work',
  argv: ['serve'],
  webServer: undefined,
  capabilities: ['CHOWN'],
  tmpfs: ['/tmp', '/cache'],
  mounts: [],
  endpoints: {},
  defaultEndpoint: 'http',
  readiness: { probe: { kind: 'tcp', port: 1 }, everyMs: 1, withinMs: 2 },
  provision: undefined,
  quiesce: undefined,
  stop: { signal: 'SIGQUIT', graceMs: 7_000 },
  resources: { cpu: 0.75, memoryBytes: 300, diskBytes: 20 },
  variables: { LANG: 'C.UTF-8', MODE: 'production' },
  properties: {},
  build: {
    defaults: [
      { when: 'lock.json', steps: [{ run: 'install --locked', inputs: ['lock.json'] }] },
      { when: 'package.json', steps: [{ run: 'install', inputs: undefined }] },
    ],
    caches: {},
    variables: { QUIET: '1', MODE: 'build' },
  },
  files: {},
};

/** A type of services that keeps data, knows users and schemas, and takes properties. */
export const databaseType: ResolvedType = {
  ...codeType,
  name: 'database',
  kind: 'service',
  version: '15',
  workingDirectory: '/data',
  argv: ['databased', '--quiet'],
  capabilities: [],
  tmpfs: ['/run'],
  mounts: [{ target: '/data', source: 'instance', volume: 'data', exclusive: true }],
  endpoints: {
    sql: { port: 5432, scheme: 'sql', credentials: true, schemaPath: true },
    metrics: { port: 9187, scheme: 'http', credentials: false, schemaPath: false },
  },
  defaultEndpoint: 'sql',
  readiness: { probe: { kind: 'tcp', port: 5432 }, everyMs: 25, withinMs: 90_000 },
  provision: { argv: ['provision'], defaultSchemas: ['main'] },
  quiesce: ['checkpoint'],
  properties: { max_connections: 'max_connections {value}' },
  build: undefined,
};

const running = {
  start: 'serve me',
  preStart: undefined,
  postStart: undefined,
  relationships: [],
  mounts: [],
  variables: {},
  resources: {},
  instances: 1,
  healthcheck: { path: undefined, command: undefined, intervalMs: 10_000, timeoutMs: 2_000 },
  stopGraceMs: undefined,
  firewall: undefined,
} as const;

/** An application of the code type in the root of the repository, that serves HTTP. */
export function application(name: string, overrides: Partial<ApplicationNode> = {}): ApplicationNode {
  return {
    ...running,
    kind: 'application',
    name: nodeName(name),
    origin: { kind: 'type', type: { name: 'code', version: '24' } },
    sourceRoot: '.',
    build: undefined,
    dependencies: {},
    hooks: { build: undefined, deploy: undefined, postDeploy: undefined },
    web: { enabled: true, protocol: 'http', locations: {} },
    crons: [],
    access: {},
    movedFrom: undefined,
    ...overrides,
  };
}

/** The worker `<owner>--<name>`. */
export function worker(owner: string, name: string, overrides: Partial<WorkerNode> = {}): WorkerNode {
  return { ...running, kind: 'worker', name: nodeName(`${owner}--${name}`), application: nodeName(owner), ...overrides };
}

/** A service of the database type. */
export function service(name: string, overrides: Partial<ServiceNode> = {}): ServiceNode {
  return {
    kind: 'service',
    name: nodeName(name),
    origin: { kind: 'type', type: { name: 'database', version: '15' } },
    configuration: { schemas: [], endpoints: {}, properties: {} },
    relationships: [],
    resources: {},
    versionPin: undefined,
    movedFrom: undefined,
    ...overrides,
  };
}

export function topology(nodes: Topology['nodes'], overrides: Partial<Topology> = {}): Topology {
  return { v: 1, nodes, routes: [], environments: [], data: { sanitize: undefined }, backups: [], nearestVersion: 'exact', ...overrides };
}

/** Stands for what a build gives; differs by name. */
export function builtImage(name: string): BuiltImage {
  const manifest = digestOf({ manifest: name });
  return { key: digestOf({ key: name }), inputs: [], image: { manifest, config: digestOf({ config: name }) }, built: true };
}
