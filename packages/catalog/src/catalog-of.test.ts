import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogOf } from './catalog-of.ts';
import type { TypeFile } from './type-file.ts';

const file: TypeFile = {
  name: 'store',
  kind: 'service',
  user: { name: 'store', uid: 5000, gid: 5001 },
  workingDirectory: '/data',
  argv: ['/usr/lib/store-{version}/run', '{value}'],
  endpoints: { store: { port: 1234, scheme: 'store' } },
  defaultEndpoint: 'store',
  readiness: { probe: { kind: 'tcp', port: 1234 }, everyMs: 25, withinMs: 1000 },
  stop: { signal: 'SIGTERM', graceMs: 1000 },
  resources: { cpu: 1, memory: '64M', disk: '2G' },
  packages: ['store-{version}'],
  npm: [{ package: 'tool-{processor}', version: '{tool}', target: '/opt/tool' }],
  mounts: [{ target: '/data', volume: 'data', exclusive: true }],
  versions: [
    { version: '3.11', debian: 'bookworm', values: { tool: { x64: '1.0.0' } } },
    { version: '3.9', debian: 'bullseye', values: { tool: '0.9.0' } },
    { version: '4', debian: 'trixie', values: { tool: { x64: '2.0.0', arm64: '2.0.1' } } },
  ],
};

test('a type is whole at a version: defaults filled in, placeholders replaced', () => {
  assert.deepEqual(catalogOf([file], 'arm64').resolve({ name: 'store', version: '4' }, 'exact'), {
    name: 'store',
    kind: 'service',
    version: '4',
    debian: 'trixie',
    base: {
      debian: 'trixie',
      prepare: [
        "echo 'store:x:5001:' >>/etc/group && echo 'store:x:5000:5001:store:/data:/bin/sh' >>/etc/passwd && echo 'store:!:1::::::' >>/etc/shadow",
      ],
      packages: ['store-4'],
      npm: [{ package: 'tool-arm64', version: '2.0.1', target: '/opt/tool', only: [] }],
      setup: [],
    },
    user: { name: 'store', uid: 5000, gid: 5001 },
    workingDirectory: '/data',
    argv: ['/usr/lib/store-4/run', '{value}'],
    webServer: undefined,
    capabilities: [],
    tmpfs: [],
    mounts: [{ target: '/data', volume: 'data', exclusive: true, source: 'instance' }],
    endpoints: { store: { port: 1234, scheme: 'store', credentials: false, schemaPath: false } },
    defaultEndpoint: 'store',
    readiness: file.readiness,
    provision: undefined,
    quiesce: undefined,
    stop: file.stop,
    resources: { cpu: 1, memoryBytes: 67_108_864, diskBytes: 2_147_483_648 },
    variables: {},
    properties: {},
    build: undefined,
    files: {},
  });
});

test('versions are ordered by number, and those that a processor lacks are not there', () => {
  assert.deepEqual(catalogOf([file], 'x64').types, [{ name: 'store', kind: 'service', versions: ['3.9', '3.11', '4'] }]);
  assert.deepEqual(catalogOf([file], 'arm64').types, [{ name: 'store', kind: 'service', versions: ['3.9', '4'] }]);
});

test('an unknown type or version lists those that are there', () => {
  const catalog = catalogOf([file], 'x64');
  assert.deepEqual(catalog.resolve({ name: 'stoer', version: '4' }, 'newer'), {
    code: 'unknown-type',
    severity: 'error',
    message: 'the catalog has no type "stoer"',
    hint: 'there are store',
  });
  assert.deepEqual(catalog.resolve({ name: 'store', version: '3.10' }, 'exact'), {
    code: 'unknown-version',
    severity: 'error',
    message: 'the catalog has no store 3.10',
    hint: 'there are store:3.9, store:3.11, store:4',
  });
});

test('the nearest newer version is the next one up, never an older one', () => {
  const catalog = catalogOf([file], 'x64');
  const found = ['3', '3.9', '3.10', '3.12', '4', '5', 'latest', '__proto__'].map((version) => {
    const type = catalog.resolve({ name: 'store', version }, 'newer');
    return 'base' in type ? type.version : type.code;
  });
  assert.deepEqual(found, ['3.9', '3.9', '3.11', '4', '4', 'unknown-version', 'unknown-version', 'unknown-version']);
});
