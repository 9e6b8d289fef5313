import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, topologyOf, web } from './reading-fixture.ts';

const services = 'services:\n  db: postgresql:15\n  cache: redis:7\n';
const of = (lines: string) => {
  const node = topologyOf(`${web(lines)}${services}`).nodes.find((each) => each.name === 'web');
  return node?.relationships;
};
const [cache, db] = [
  { name: 'cache', node: 'cache', endpoint: 'redis' },
  { name: 'db', node: 'db', endpoint: 'postgresql' },
];

test('all forms mean the same', () => {
  const full = of('relationships: { db: { service: db, endpoint: postgresql }, cache: { service: cache } }');
  assert.deepEqual(full, [cache, db]);
  assert.deepEqual(of('relationships: [db, cache]'), full);
  assert.deepEqual(of('relationships: [cache:redis, db:postgresql]'), full);
  assert.deepEqual(of('relationships: { db: "db:postgresql", cache: cache }'), full);
  assert.deepEqual(of('relationships: { db:, cache: }'), full);
});

test('a relationship may have a name of its own', () => {
  assert.deepEqual(of('relationships: { database: "db:postgresql" }'), [{ name: 'database', node: 'db', endpoint: 'postgresql' }]);
});

test('an application may be reached over http', () => {
  const text = 'applications:\n  api: { type: static }\n  web: { type: static, relationships: [api] }\nroutes: {}\n';
  assert.deepEqual(topologyOf(text).nodes.find((each) => each.name === 'web')?.relationships, [
    { name: 'api', node: 'api', endpoint: 'http' },
  ]);
});

test('the example of the design reads exactly so', () => {
  const text = 'applications:\n  web:\n    type: static\n    relationships: [databse]\nservices:\n  database: postgresql:15\n';
  assert.deepEqual(complaints(text), [
    'coppice.yaml:4:21  relationships: no service or application is named "databse"; did you mean "database"?',
  ]);
});

test('a relationship to nothing, to itself, to a worker or to an endpoint that is not there is an error', () => {
  const lines = [
    'relationships:',
    '  a: elastic',
    '  b: web',
    '  c: "db:mysql"',
    '  d: web--queue',
    '  e: { service: db, endpoint: postgresq }',
  ];
  assert.deepEqual(complaints(`${web(...lines)}    workers: { queue: { start: x, relationships: [] } }\n${services}`), [
    'coppice.yaml:6:10  relationships: no service or application is named "elastic"; there are: cache, db, web',
    'coppice.yaml:7:10  relationships: web has a relationship to itself; remove it',
    'coppice.yaml:8:10  relationships: db has no endpoint "mysql"; it has postgresql',
    'coppice.yaml:9:10  relationships: web--queue is a worker, and nothing connects to workers',
    'coppice.yaml:10:21  relationships: db has no endpoint "postgresq"; did you mean "postgresql"?',
  ]);
});

test('two relationships that would set the same variables are an error', () => {
  assert.deepEqual(complaints(`${web('relationships: { my-db: db, my_db: db }')}${services}`), [
    'coppice.yaml:5:40  relationships: "my_db" and "my-db" would set the same variables; variables start with MY_DB_',
  ]);
  assert.deepEqual(complaints(`${web('relationships: [db, db]')}${services}`), [
    'coppice.yaml:5:25  relationships: "db" stands here twice; variables start with DB_',
  ]);
});

test('a ring names its nodes in order', () => {
  const text =
    'services:\n  a: { type: redis:7, relationships: [b] }\n  b: { type: redis:7, relationships: [c] }\n  c: { type: redis:7, relationships: [a] }\n';
  assert.deepEqual(complaints(text), [
    'coppice.yaml:4:39  relationships: these depend on each other in a ring: a → b → c → a; each must be able to start after those it needs; remove one of them',
  ]);
});

test('every ring is told once, and a long chain is none', () => {
  const pair = (a: string, b: string) =>
    `  ${a}: { type: redis:7, relationships: [${b}] }\n  ${b}: { type: redis:7, relationships: [${a}] }\n`;
  assert.equal(complaints(`services:\n${pair('a', 'b')}${pair('c', 'd')}`).length, 2);
  const chain = Array.from({ length: 3000 }, (_, index) => `  s${index}: { type: redis:7, relationships: [s${index + 1}] }\n`);
  const before = cpuMs();
  assert.equal(topologyOf(`services:\n${chain.join('')}  s3000: redis:7\n`).nodes.length, 3001);
  assert.ok(cpuMs() - before < 5000);
});

test('a ring of thousands is found without recursion and told in one line', () => {
  const ring = Array.from({ length: 3000 }, (_, index) => `  s${index}: { type: redis:7, relationships: [s${(index + 1) % 3000}] }\n`);
  const [line = '', ...rest] = complaints(`services:\n${ring.join('')}`);
  assert.deepEqual(rest, []);
  assert.match(line, /ring: s0 → s1 .* → … → .* → s2999 → s0;/);
});

/** Time of the processor so far, in milliseconds: unlike the clock's, it does not grow while other tests run. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
