import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalExample } from './minimal-example.ts';
import { complaints, topologyOf, web } from './reading-fixture.ts';

test('nodes and routes may be spread over files, in whatever order they are given', () => {
  const [applications = '', services = ''] = minimalExample.split('services:\n');
  const split = { '.coppice/services.yaml': `services:\n${services}`, 'coppice.yaml': applications };
  assert.deepEqual(topologyOf(split), topologyOf(minimalExample));
});

test('the same node in two files is an error that names the other place', () => {
  assert.deepEqual(complaints({ 'coppice.yaml': web(), '.coppice/web.yaml': web() }), [
    '.coppice/web.yaml:2:3  "web" is declared in two files; the other is at coppice.yaml:2:3',
  ]);
});

test('any other section stands in one file', () => {
  const rules = 'environments: [{ match: main }]\n';
  assert.deepEqual(complaints({ 'coppice.yaml': `${web()}${rules}`, '.coppice/environments.yaml': rules }), [
    '.coppice/environments.yaml:1:1  "environments" is declared in two files; the other is at coppice.yaml:5:1',
  ]);
});

test('the faults of all files are told at once, and those of a broken file do not make others up', () => {
  const files = {
    'coppice.yaml': web('relationships: [db]', 'strat: x'),
    '.coppice/broken.yaml': 'services: [\n',
    '.coppice/list.yaml': '- a\n',
  };
  assert.deepEqual(complaints(files), [
    'coppice.yaml:6:5  web: unknown key "strat"; did you mean "start"?',
    '.coppice/broken.yaml:2:1  a [ or { above is not closed; close it with ] or }',
    '.coppice/list.yaml:1:1  the file must be a map; it starts with "applications:"',
  ]);
});

test('an empty file among others adds nothing', () => {
  assert.deepEqual(
    topologyOf({ 'coppice.yaml': web(), '.coppice/a.yaml': '# later\n', '.coppice/b.yaml': 'services:\n' }),
    topologyOf(web()),
  );
});
