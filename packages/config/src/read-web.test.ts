import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, topologyOf, web } from './reading-fixture.ts';

const site = (locations: string) => {
  const [node] = topologyOf(`applications: { site: { type: static, web: { locations: ${locations} } } }`).nodes;
  return node?.kind === 'application' ? node.web.locations : undefined;
};
const plain = { root: undefined, index: [], passthru: false, expiresSeconds: -1, allow: true, headers: {}, rules: {} };

test('a static application serves its own folder where it says nothing', () => {
  const [node] = topologyOf('applications: { site: { type: static } }').nodes;
  assert.deepEqual(node?.kind === 'application' && node.web, {
    enabled: true,
    protocol: 'http',
    locations: { '/': { ...plain, root: '.', index: ['index.html'] } },
  });
});

test('locations are read with their defaults', () => {
  assert.deepEqual(site('{ /: { root: public/, index: [a.html], passthru: /404.html, expires: 1h, headers: { X-A: 1 } }, /b: {} }'), {
    '/': { ...plain, root: 'public', index: ['a.html'], passthru: '/404.html', expiresSeconds: 3600, headers: { 'X-A': '1' } },
    '/b': { ...plain, index: ['index.html'] },
  });
});

test('rules say only what differs', () => {
  assert.deepEqual(site(`{ /: { rules: { '\\.php$': { allow: false }, '^/img': { expires: 300, passthru: true } } } }`)?.['/']?.rules, {
    '\\.php$': { allow: false },
    '^/img': { expiresSeconds: 300, passthru: true },
  });
});

test('a root outside the application is an error', () => {
  assert.deepEqual(complaints('applications: { s: { type: static, web: { locations: { /: { root: ../x } } } } }'), [
    'coppice.yaml:1:67  root: "../x" is no folder below the application\'s; write a relative path without ".."',
  ]);
});

test('locations of other types are read and said not to be acted on', () => {
  assert.deepEqual(read(web('web: { locations: { /: { root: public, scripts: true } } }')).inactive, [
    'coppice.yaml:5:12  web.locations of web is not acted on yet',
    'coppice.yaml:5:44  scripts of locations is ignored',
  ]);
});

test('headers that could end a line are errors', () => {
  assert.equal(
    read('applications: { s: { type: static, web: { locations: { /: { headers: { X-A: "a\\r\\nb" } } } } } }').topology,
    undefined,
  );
});

test('an application that serves nothing gets no default route', () => {
  assert.deepEqual(topologyOf(web('web: { enabled: false }')).routes, []);
});
