import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, web } from './reading-fixture.ts';
import { configurationSchema } from './shape-validator.ts';

test('an unknown key is an error with the nearest name, at every level', () => {
  const text = `aplications: {}\n${web('relationshps: [db]', 'healthcheck: { pth: /x }')}`;
  assert.deepEqual(complaints(text), [
    'coppice.yaml:1:1  unknown key "aplications"; did you mean "applications"?',
    'coppice.yaml:6:5  web: unknown key "relationshps"; did you mean "relationships"?',
    'coppice.yaml:7:20  healthcheck: unknown key "pth"; did you mean "path"?',
  ]);
});

test('a value of the wrong type says what it must be', () => {
  assert.deepEqual(complaints(web('instances: two', 'mounts: []', 'build: 5', 'hooks: x', 'web: { enabled: "no" }')), [
    'coppice.yaml:5:16  instances: this must be a whole number, not "two"',
    'coppice.yaml:6:13  mounts: this must be a map, not a list',
    'coppice.yaml:7:12  build: this must be text, a list or a map, not 5',
    'coppice.yaml:8:12  hooks: this must be a map, not "x"',
    'coppice.yaml:9:21  enabled: this must be true or false, not "no"',
  ]);
});

test('a word that is not one of those allowed lists them', () => {
  assert.deepEqual(complaints(web('size: HUGE', 'mounts: { a: storge }')), [
    'coppice.yaml:5:11  size: "HUGE" is not one of AUTO, S, M, L, XL, 2XL or 4XL; write AUTO, S, M, L, XL, 2XL or 4XL',
    'coppice.yaml:6:18  a: "storge" is not one of storage, instance or tmp; did you mean "storage"?',
  ]);
});

test('a value is complained of once, whatever else is wrong with it', () => {
  assert.deepEqual(complaints(web('stop_grace: five minutes and a half')), [
    'coppice.yaml:5:17  stop_grace: the text is longer than 12 characters; a duration such as 30s, 10m, 2h or 1d',
  ]);
});

test('limits are told', () => {
  assert.deepEqual(complaints(web('instances: 0', 'resources: { cpu: 1000 }', 'build: ""')), [
    'coppice.yaml:5:16  instances: 0 is less than 1, the least',
    'coppice.yaml:6:23  cpu: 1000 is more than 256, the most',
    'coppice.yaml:7:12  build: this may not be empty',
  ]);
});

test('a missing key is told at the map that lacks it', () => {
  assert.deepEqual(complaints('applications:\n  web:\n    start: x\n    mounts: { a: {} }\n    crons: { c: { spec: "* * * * *" } }\n'), [
    'coppice.yaml:2:3  web: it has no type; write type: nodejs:24, say',
    'coppice.yaml:4:15  a: "source" is missing',
    'coppice.yaml:5:14  c: "commands" is missing',
  ]);
});

test('a fault of the shape does not hide faults of the meaning', () => {
  assert.deepEqual(complaints(`${web('instances: two', 'relationships: [databse]')}services: { database: postgresql:15 }\n`), [
    'coppice.yaml:5:16  instances: this must be a whole number, not "two"',
    'coppice.yaml:6:21  relationships: no service or application is named "databse"; did you mean "database"?',
  ]);
});

test('a faulty node still counts as declared', () => {
  assert.deepEqual(complaints(`${web('relationships: [db]')}services: { db: 5 }\n`), [
    'coppice.yaml:6:17  db: this must be text or a map, not 5; a type and its version, such as postgresql:15',
  ]);
});

test('every pattern of the schema is linear and stands beside a maxLength', () => {
  const patterns = [...schemaParts(configurationSchema)].filter((part) => typeof part['pattern'] === 'string');
  assert.ok(patterns.length > 20);
  for (const part of patterns) {
    assert.equal(typeof part['maxLength'], 'number', `${String(part['pattern'])} needs a maxLength`);
    const pattern = new RegExp(String(part['pattern']), 'u');
    for (const piece of ['a', 'a-', '-', '0', 'A', '/', ':', '.', 'http://', ' ']) {
      const text = `${piece.repeat(50_000)}\n!`;
      const before = performance.now();
      pattern.test(text);
      assert.ok(performance.now() - before < 200, `${pattern} is slow on ${JSON.stringify(piece)} repeated`);
    }
  }
});

test('the schema asks for nothing of the data by reference, and allows no map it does not describe', () => {
  for (const part of schemaParts(configurationSchema)) {
    assert.ok(!Object.hasOwn(part, '$data'));
    if (part['type'] === 'object' && part['properties'] !== undefined && part['title'] !== 'Variables') {
      assert.equal(part['additionalProperties'], false, JSON.stringify(part).slice(0, 200));
    }
  }
});

test('the schema names its draft, its version, and describes itself to editors', () => {
  assert.equal(configurationSchema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  assert.equal(configurationSchema['$id'], 'urn:coppice:schema:coppice.yaml:v1');
  for (const [name, part] of Object.entries(configurationSchema['properties'] as Record<string, Record<string, unknown>>)) {
    for (const key of ['title', 'description']) assert.equal(typeof part[key], 'string', `${name} has no ${key}`);
  }
});

function* schemaParts(part: unknown): Generator<Record<string, unknown>> {
  if (typeof part !== 'object' || part === null) return;
  if (!Array.isArray(part)) yield part as Record<string, unknown>;
  for (const below of Object.values(part)) yield* schemaParts(below);
}
