import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteEntry } from '@coppice/model';
import { redirectRoute, tableOf, upstreamRoute } from './router-fixture.ts';
import { checkEnvironmentId, checkRouteTable } from './router-validation.ts';

const server = { id: 'c1', address: '10.0.0.2', port: 80 };
const access = (rest: Partial<RouteEntry['access']>): Partial<RouteEntry> => ({ access: { basicAuth: {}, addresses: [], ...rest } });

test('clean tables pass', () => {
  const headers = { 'X-Frame-Options': "SAMEORIGIN; it's 100% $fine" };
  checkRouteTable(
    tableOf(
      upstreamRoute('a.localhost', [server, { id: 'c2', address: 'fd00::1', port: 65_535 }], { headers, path: '/a-b/~c/' }),
      upstreamRoute(
        'a.localhost',
        [server],
        access({ basicAuth: { bob: 'a:b c' }, addresses: [{ permission: 'allow', block: '10.0.0.0/8' }] }),
      ),
      redirectRoute('b.localhost', '/x?y=%20#z'),
      redirectRoute('c_d.localhost', 'https://user.example:8443/'),
    ),
  );
});

const bad: Readonly<Record<string, RouteEntry>> = {
  'a host with a line break': upstreamRoute('a.localhost\nbackend x', []),
  'a host in upper case': upstreamRoute('A.localhost', []),
  'a host with a port': upstreamRoute('a.localhost:80', []),
  'an empty label': upstreamRoute('a..localhost', []),
  'an empty host': upstreamRoute('', []),
  'a host of 254 characters': upstreamRoute(`${'a'.repeat(60)}.`.repeat(4).concat('b'.repeat(10)), []),
  'a path with a blank': upstreamRoute('a.localhost', [], { path: '/a b/' }),
  'a path with a quote': upstreamRoute('a.localhost', [], { path: "/a'b/" }),
  'a path without its last slash': upstreamRoute('a.localhost', [], { path: '/a' }),
  'a path without its first slash': upstreamRoute('a.localhost', [], { path: 'a/' }),
  'a path with an empty segment': upstreamRoute('a.localhost', [], { path: '/a//' }),
  'a path that climbs': upstreamRoute('a.localhost', [], { path: '/a/../' }),
  'an encoded path': upstreamRoute('a.localhost', [], { path: '/%61/' }),
  'a header with a line break': upstreamRoute('a.localhost', [], { headers: { 'X-A': 'a\r\nSet-Cookie: b' } }),
  'a header name with a blank': upstreamRoute('a.localhost', [], { headers: { 'X A': 'a' } }),
  "a header of the router's own": upstreamRoute('a.localhost', [], { headers: { 'Transfer-Encoding': 'chunked' } }),
  'a user with a colon': upstreamRoute('a.localhost', [], access({ basicAuth: { 'a:b': 'c' } })),
  'a password with a line break': upstreamRoute('a.localhost', [], access({ basicAuth: { a: 'b\nc' } })),
  'a block that is none': upstreamRoute('a.localhost', [], access({ addresses: [{ permission: 'allow', block: '10.0.0.0/33' }] })),
  'a block with more behind it': upstreamRoute('a.localhost', [], access({ addresses: [{ permission: 'deny', block: '10.0.0.1 } or' }] })),
  'an address that is a name': upstreamRoute('a.localhost', [{ ...server, address: 'localhost' }]),
  'a port of 0': upstreamRoute('a.localhost', [{ ...server, port: 0 }]),
  'a port that is no integer': upstreamRoute('a.localhost', [{ ...server, port: 80.5 }]),
  'an id with a slash': upstreamRoute('a.localhost', [{ ...server, id: 'a/b' }]),
  'a redirect to a script': redirectRoute('a.localhost', 'javascript:alert(1)'),
  'a redirect to another host by two slashes': redirectRoute('a.localhost', '//evil'),
  'a redirect with a backslash': redirectRoute('a.localhost', '/\\evil'),
  'a redirect with a line break': redirectRoute('a.localhost', '/a\nb'),
  'a path redirect that climbs': upstreamRoute('a.localhost', [], {
    target: { kind: 'upstream', node: 'web', servers: [], redirects: [{ path: '/../x', to: '/', code: 301, prefix: false }] },
  }),
};

for (const [name, entry] of Object.entries(bad)) {
  test(`${name} is refused`, () => {
    assert.throws(() => checkRouteTable(tableOf(entry)), { code: 'invalid-request' });
  });
}

test('two routes for one host and path are refused, and too many routes', () => {
  const route = upstreamRoute('a.localhost', []);
  assert.throws(() => checkRouteTable(tableOf(route, route)), { code: 'invalid-request', message: 'two routes for a.localhost/' });
  const many = Array.from({ length: 1001 }, (_, index) => upstreamRoute(`h${index}.localhost`, []));
  assert.throws(() => checkRouteTable(tableOf(...many)), { code: 'invalid-request' });
});

test("an environment's id must be fit for the name of a file", () => {
  checkEnvironmentId('e_1');
  for (const id of ['', '../x', 'a/b', '.', 'a b', 'x'.repeat(81)])
    assert.throws(() => checkEnvironmentId(id), { code: 'invalid-request' }, id);
});
