import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '@coppice/model';
import { completeExample } from './complete-example.ts';
import { complaints, read, topologyOf } from './reading-fixture.ts';

test('a file that uses everything is sound, and says what is not acted on yet', () => {
  const { diagnostics, inactive } = read(completeExample);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    inactive.map((line) => line.replace(/^coppice\.yaml:\d+:\d+ {2}/, '')),
    [
      'dependencies of web are not installed yet',
      'crons of web are not run yet',
      'access of web is not applied yet',
      'version of db is not held yet',
    ],
  );
});

test('what is not acted on is told with its place', () => {
  const text =
    'applications:\n  web:\n    type: static\n    crons: { a: { spec: "* * * * *", commands: { start: a } } }\nfunctions: { f: {} }\n';
  assert.deepEqual(read(text).inactive, ['coppice.yaml:4:5  crons of web are not run yet', 'coppice.yaml:5:1  functions are not run yet']);
});

test('a file as people have it for Upsun is read', () => {
  const text = `
applications:
  app:
    type: "nodejs:22"
    source:
      root: "/"
    build:
      flavor: none
    hooks:
      build: |
        set -e
        npm ci
    relationships:
      database: "db:postgresql"
      cache:
    disk: 512
    size: S
    web:
      commands:
        start: "node index.js"
      upstream:
        socket_family: tcp
    mounts:
      "uploads":
        source: storage
        source_path: uploads
    variables:
      env:
        N: 1
services:
  db:
    type: postgresql:15
    disk: 256
  cache:
    type: redis:7
routes:
  "https://{default}/":
    type: upstream
    upstream: "app:http"
    cache:
      enabled: true
  "https://www.{default}/":
    type: redirect
    to: "https://{default}/"
`;
  const { topology, diagnostics } = read(text);
  assert.deepEqual(diagnostics, []);
  const app = topology?.nodes.find((node) => node.name === 'app');
  assert.deepEqual(app?.kind === 'application' && [app.sourceRoot, app.build, app.start, app.relationships, app.resources], [
    '.',
    undefined,
    'node index.js',
    [
      { name: 'cache', node: 'cache', endpoint: 'redis' },
      { name: 'database', node: 'db', endpoint: 'postgresql' },
    ],
    { cpu: 0.25, memoryBytes: 2 ** 27, diskBytes: 2 ** 29 },
  ]);
});

test('the order of keys does not matter', () => {
  const one =
    'services: { a: redis:7, b: redis:6 }\napplications: { w: { type: static, relationships: [a, b], mounts: { x: tmp, y: tmp } } }\n';
  const other =
    'applications: { w: { mounts: { y: tmp, x: tmp }, relationships: [b, a], type: static } }\nservices: { b: redis:6, a: redis:7 }\n';
  assert.equal(canonicalJson(topologyOf(one)), canonicalJson(topologyOf(other)));
});

test('an empty file, and one of other things, say what to write', () => {
  const line =
    'coppice.yaml:1:1  the file declares no applications; write applications: { web: { type: nodejs:24, start: node server.js } }, say';
  assert.deepEqual(complaints(''), [line]);
  assert.deepEqual(complaints('# nothing yet\n'), [line]);
  assert.deepEqual(complaints('- a\n'), ['coppice.yaml:1:1  the file must be a map; it starts with "applications:"']);
  assert.deepEqual(complaints('just text'), ['coppice.yaml:1:1  the file must be a map; it starts with "applications:"']);
});

test('256 KiB of thousands of keys are read in less than a second', () => {
  const entry = (index: number) => `  s${index}: { type: redis:7, relationships: [s${index + 1}] } # the service number ${index}\n`;
  let text = 'services:\n';
  let count = 0;
  for (; text.length + entry(count).length + 20 < 256 * 1024; count += 1) text += entry(count);
  text += `  s${count}: redis:7\n`;
  const before = cpuMs();
  assert.equal(topologyOf(text).nodes.length, count + 1);
  assert.ok(cpuMs() - before < 5000);
});

test('and thousands of faults as fast', () => {
  let text = 'applications:\n';
  for (let index = 0; text.length < 250_000; index += 1)
    text += `  Web${index}: { typ: nodjs:24, relationships: [databse${index}], instances: x }\n`;
  const before = cpuMs();
  assert.equal(read(text).diagnostics.length, 20);
  assert.ok(cpuMs() - before < 5000);
});

/** Time of the processor so far, in milliseconds: unlike the clock's, it does not grow while other tests run. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
