import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, web } from './reading-fixture.ts';

test('rules keep their order and everything they say', () => {
  const rules = [
    'environments:',
    '  - { match: main, resources: { web: { cpu: 2, memory: 1G } }, instances: { web: 2 }, variables: { env: { A: 1 } } }',
    '  - { match: "**", data: empty, suspend_after: 30m }',
  ].join('\n');
  const { topology, inactive } = read(`${web()}${rules}\n`);
  assert.deepEqual(topology?.environments, [
    {
      match: 'main',
      data: undefined,
      suspendAfterMs: undefined,
      resources: { web: { cpu: 2, memoryBytes: 2 ** 30 } },
      instances: { web: 2 },
      variables: { A: '1' },
    },
    { match: '**', data: 'empty', suspendAfterMs: 1_800_000, resources: {}, instances: {}, variables: {} },
  ]);
  assert.deepEqual(inactive, []);
});

test('rules about nodes that are not there are errors, those about workers are not', () => {
  const text = `${web('workers: { queue: { start: x } }')}services: { db: redis:7 }\nenvironments:\n`;
  assert.deepEqual(complaints(`${text}  - { match: a, resources: { wbe: { cpu: 1 } }, instances: { web--queue: 2, db: 2 } }\n`), [
    'coppice.yaml:8:30  environments: nothing is named "wbe"; did you mean "web"?',
    'coppice.yaml:8:81  instances: db is a service, which has one instance',
  ]);
});

test('a rule needs a match', () => {
  assert.deepEqual(complaints(`${web()}environments: [{ instances: { web: 2 } }]\n`), [
    'coppice.yaml:5:16  environments: "match" is missing',
  ]);
});

test('the data of a branch is a clone or empty, and nothing else', () => {
  const data = (value: string): string => `${web()}environments: [{ match: "**", data: ${value} }]\n`;
  for (const value of ['clone', 'empty']) assert.equal(read(data(value)).topology?.environments[0]?.data, value);
  assert.deepEqual(
    ['copy', 'true', ''].flatMap((value) => complaints(data(value))),
    [
      'coppice.yaml:5:37  data: "copy" is not one of clone or empty; write clone or empty',
      'coppice.yaml:5:37  data: true is not one of clone or empty; write clone or empty',
      'coppice.yaml:5:38  data: nothing is not one of clone or empty; write clone or empty',
    ],
  );
});
