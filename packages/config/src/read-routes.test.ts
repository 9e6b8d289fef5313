import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TopologyRoute } from '@coppice/model';
import { complaints, read, topologyOf, web } from './reading-fixture.ts';

const two = 'applications:\n  api: { type: static }\n  site: { type: static, workers: { w: { start: x } } }\nservices: { db: redis:7 }\n';
const routes = (...lines: readonly string[]) => `${two}routes:\n${lines.map((line) => `  ${line}\n`).join('')}`;
const upstream = (url: string, node: string) =>
  ({
    url,
    id: undefined,
    primary: false,
    headers: {},
    access: undefined,
    kind: 'upstream',
    node,
    redirects: [],
  }) as unknown as TopologyRoute;

test('the only web application answers at the default host', () => {
  assert.deepEqual(topologyOf(web()).routes, [upstream('http(s)://{default}/', 'web')]);
});

test('without applications there are no routes', () => {
  assert.deepEqual(topologyOf('services: { db: redis:7 }').routes, []);
});

test('several applications and no routes is an error that says what to write', () => {
  assert.deepEqual(complaints(two), [
    'coppice.yaml:1:1  there are several applications (api, site) and no routes that say which answers; write routes: { "http(s)://{default}/": { type: upstream, upstream: "api:http" } }',
  ]);
});

test('URLs take their plain form and are sorted', () => {
  const text = routes('"https://WWW.{default}/a": { upstream: "site:http" }', '"http://Example.org": { type: upstream, upstream: api }');
  assert.deepEqual(topologyOf(text).routes, [upstream('http://example.org/', 'api'), upstream('https://www.{default}/a/', 'site')]);
});

test('redirects, headers, access and ids are read', () => {
  const text = routes(
    '"http(s)://{default}/":',
    '  upstream: site:http',
    '  primary: true',
    '  id: main',
    '  headers: { X-Frame-Options: DENY }',
    '  access: { basic_auth: { staff: 1234 }, addresses: [{ permission: allow, address: 10.0.0.0/8 }, { permission: deny, address: any }] }',
    '  redirects: { expires: 1d, paths: { /old: { to: /new }, /a: { to: "https://example.org/", code: 301, prefix: false } } }',
    '"http(s)://www.{default}/": { type: redirect, to: "https://{default}/", code: 308 }',
  );
  const { topology, inactive } = read(text);
  assert.deepEqual(topology?.routes, [
    {
      url: 'http(s)://www.{default}/',
      id: undefined,
      primary: false,
      headers: {},
      access: undefined,
      kind: 'redirect',
      to: 'https://{default}/',
      code: 308,
    },
    {
      url: 'http(s)://{default}/',
      id: 'main',
      primary: true,
      headers: { 'X-Frame-Options': 'DENY' },
      access: {
        basicAuth: { staff: '1234' },
        addresses: [
          { permission: 'allow', block: '10.0.0.0/8' },
          { permission: 'deny', block: '0.0.0.0/0' },
        ],
      },
      kind: 'upstream',
      node: 'site',
      redirects: [
        { path: '/a', to: 'https://example.org/', code: 301, prefix: false },
        { path: '/old', to: '/new', code: 302, prefix: true },
      ],
    },
  ]);
  assert.deepEqual(inactive, ['coppice.yaml:12:18  redirects.expires is not sent yet']);
});

test('two routes for one host and path are an error, however they are written', () => {
  const site = '{ upstream: "site:http" }';
  assert.deepEqual(
    complaints(routes(`"http(s)://{default}/a": ${site}`, `"http(s)://{DEFAULT}/a/": ${site}`, `"https://{all}/a": ${site}`)),
    [
      'coppice.yaml:7:3  routes: "http(s)://{DEFAULT}/a/" answers for the same host and path as "http(s)://{default}/a" in line 6; remove one of them',
      'coppice.yaml:8:3  routes: "https://{all}/a" answers for the same host and path as "http(s)://{default}/a" in line 6; http and https are answered alike: write http(s)://',
    ],
  );
});

test('a redirect from http to the same https, as Upsun has it, is left out and said so', () => {
  const text = routes(
    '"http://{default}/": { type: redirect, to: "https://{default}/" }',
    '"https://{default}/": { upstream: "site:http" }',
  );
  const { topology, inactive } = read(text);
  assert.deepEqual(topology?.routes, [upstream('https://{default}/', 'site')]);
  assert.deepEqual(inactive, ['coppice.yaml:6:3  the redirect of http://{default}/ to https is not made yet']);
});

test('an upstream must be an application that serves http', () => {
  const to = (host: string, node: string) => `"http://${host}.{default}/": { upstream: "${node}" }`;
  assert.deepEqual(complaints(routes(to('a', 'nothing:http'), to('b', 'siet'), to('c', 'db:http'), to('d', 'site:db'))), [
    'coppice.yaml:6:38  upstream: no application is named "nothing"; there is api or site',
    'coppice.yaml:7:38  upstream: no application is named "siet"; did you mean "site"?',
    'coppice.yaml:8:38  upstream: db does not serve http; there is api or site',
    'coppice.yaml:9:38  upstream: requests go to the endpoint http, not "db"; write "site:http"',
  ]);
  assert.deepEqual(complaints(routes(to('a', 'site--w'))), ['coppice.yaml:6:38  upstream: site--w is a worker and serves no requests']);
});

test('an application that serves nothing is no upstream', () => {
  const text = 'applications: { jobs: { type: static, web: { enabled: false } } }\nroutes: { "http://{default}/": { upstream: jobs } }\n';
  assert.deepEqual(complaints(text), ['coppice.yaml:2:44  upstream: jobs does not serve http; there is none']);
});

test('users and passwords of an access are checked', () => {
  const access = '{ basic_auth: { "a:b": x, c: "", d: "x\\ny" } }';
  assert.deepEqual(complaints(routes(`"http://{default}/": { upstream: site, access: ${access} }`)), [
    'coppice.yaml:6:66  basic_auth: "a:b" is no name for this; a user name has no colon and no spaces',
    'coppice.yaml:6:79  c: this may not be empty; a password on one line',
    'coppice.yaml:6:86  d: "x\\ny" is not allowed here; a password on one line',
  ]);
});

test('URLs that cannot be routed are errors with the reason', () => {
  const problems: Readonly<Record<string, string>> = {
    'http://*.{default}/': 'wildcard hosts are not served; name each host',
    'http://{default}:80/': 'a route names no port',
    'http://{host}/': 'the placeholders are {default} and {all}, at the end of the host',
    'http://{default}.org/': 'the placeholders are {default} and {all}, at the end of the host',
    'http://a_b/': 'the host is no domain name',
    'http://user@host/': 'the host is no domain name',
    'http://{default}/../a': 'the path may not hold ".", ".." or empty parts',
    'http://{default}/?a': 'a route has no query and no fragment',
  };
  for (const [url, problem] of Object.entries(problems)) {
    assert.deepEqual(complaints(routes(`"${url}": { upstream: site }`)), [
      `coppice.yaml:6:3  routes: "${url}" cannot be routed; ${problem}`,
    ]);
  }
  assert.deepEqual(complaints(routes('web: { upstream: site }')), [
    'coppice.yaml:6:3  routes: "web" is no name for this; a URL such as http(s)://{default}/ or http(s)://api.{default}/v1/',
  ]);
});

test('a redirect needs a target, an upstream an application', () => {
  assert.deepEqual(complaints(routes('"http://{default}/": { type: redirect }', '"http://a.{default}/": {}')), [
    'coppice.yaml:6:3  http://{default}/: "to" is missing',
    'coppice.yaml:7:3  http://a.{default}/: "upstream" is missing',
  ]);
  assert.deepEqual(complaints(routes('"http://{default}/": { type: redirect, to: "http://-/" }')), [
    'coppice.yaml:6:46  to: "http://-/" leads nowhere; the host is no domain name',
  ]);
});

test('ids are unique and one route may be primary', () => {
  const route = '{ upstream: site, id: x, primary: true }';
  assert.deepEqual(complaints(routes(`"http://a/": ${route}`, `"http://b/": ${route}`)), [
    'coppice.yaml:7:38  id: two routes are named "x"',
    'coppice.yaml:7:50  primary: a second route is primary; one may be',
  ]);
});

test('keys of Upsun that do nothing here are said so, and a redirect by pattern is left out', () => {
  const text = routes(
    '"http://{default}/": { upstream: site, cache: { enabled: true }, ssi: { enabled: false }, redirects: { paths: { "^/a": { to: /b, regexp: true } } } }',
  );
  assert.deepEqual(read(text).inactive, [
    'coppice.yaml:6:42  cache of routes is ignored',
    'coppice.yaml:6:68  ssi of routes is ignored',
    'coppice.yaml:6:115  the redirect of "^/a" by a regular expression is not made yet',
  ]);
});

test('addresses of an access are checked', () => {
  assert.deepEqual(
    complaints(routes('"http://{default}/": { upstream: site, access: { addresses: [{ permission: allow, address: 10.0.0.1/8 }] } }')),
    ['coppice.yaml:6:94  address: "10.0.0.1/8" is no IPv4 block; did you mean "10.0.0.0/8"?'],
  );
});
