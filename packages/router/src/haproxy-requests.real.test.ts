import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { RouteAccess } from '@coppice/model';
import { ask, environmentId, exchangeBytes, redirectRoute, startInstance, startRouter, tableOf, upstreamRoute } from './router-fixture.ts';

const one = environmentId('one');

test('doubtful requests are refused with 400 and never reach an instance', async (context) => {
  const { router, port } = await startRouter(context);
  let reached = 0;
  const server = await startInstance(context, 'a', (_request, response) => {
    reached += 1;
    response.end('reached');
  });
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
  const head = (lines: string, start = 'GET / HTTP/1.1'): string => `${start}\r\n${lines}\r\n\r\n`;
  const doubtful = {
    'no host': head('X: y'),
    'no host in HTTP/1.0': head('X: y', 'GET / HTTP/1.0'),
    'empty host': head('Host: '),
    'two hosts': head('Host: a.localhost\r\nHost: b.localhost'),
    'user in host': head('Host: good@a.localhost'),
    'user after port': head('Host: a.localhost:80@evil'),
    'fragment in host': head('Host: a.localhost#x'),
    'blank in host': head('Host: a.localhost b'),
    'absolute URI that contradicts': head('Host: a.localhost', 'GET http://b.localhost/ HTTP/1.1'),
    'unknown coding': head('Host: a.localhost\r\nTransfer-Encoding: xchunked'),
    'chunked not last': head('Host: a.localhost\r\nTransfer-Encoding: chunked, identity', 'POST / HTTP/1.1'),
    'chunked twice': head('Host: a.localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'POST / HTTP/1.1'),
    'blank before colon': head('Host: a.localhost\r\nTransfer-Encoding : chunked', 'POST / HTTP/1.1'),
    'chunked in HTTP/1.0': head('Host: a.localhost\r\nTransfer-Encoding: chunked', 'POST / HTTP/1.0'),
    'two lengths': head('Host: a.localhost\r\nContent-Length: 3\r\nContent-Length: 4', 'POST / HTTP/1.1'),
    'signed length': head('Host: a.localhost\r\nContent-Length: +3', 'POST / HTTP/1.1'),
    'control character in path': head('Host: a.localhost', 'GET /a\x01b HTTP/1.1'),
    'null in header': head('Host: a.localhost\r\nX: a\x00b'),
    'bytes above ASCII in path': head('Host: a.localhost', 'GET /\xe9 HTTP/1.1'),
    'blank in path': head('Host: a.localhost', 'GET /a b HTTP/1.1'),
    'dot segments': head('Host: a.localhost', 'GET /x/../y HTTP/1.1'),
    'encoded dot segments': head('Host: a.localhost', 'GET /x/%2e%2E/y HTTP/1.1'),
    backslash: head('Host: a.localhost', 'GET /x\\y HTTP/1.1'),
    'connection that names other headers': head('Host: a.localhost\r\nConnection: close, X-Secret\r\nX-Secret: 1'),
    'headers over 16 KiB': head(`Host: a.localhost\r\nX: ${'x'.repeat(18_000)}`),
  };
  const statuses = await Promise.all(
    Object.entries(doubtful).map(async ([name, bytes]) => [name, (await exchangeBytes(port, bytes)).split(' ')[1]] as const),
  );
  assert.deepEqual(Object.fromEntries(statuses), Object.fromEntries(Object.keys(doubtful).map((name) => [name, '400'])));
  assert.equal(reached, 0);
});

test('what is unusual but clear is served', async (context) => {
  const { router, port } = await startRouter(context);
  const server = await startInstance(context, 'a', (request, response) => response.end(`url=${request.url} `));
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
  const served = {
    'absolute URI': ['GET http://a.localhost/x?y HTTP/1.1\r\nHost: a.localhost\r\n\r\n', 'url=/x?y '],
    'upper case and port': ['GET /x HTTP/1.1\r\nHost: A.LOCALHOST:8080\r\n\r\n', 'url=/x '],
    'encoded characters stay as they are': ['GET /a%20b//c HTTP/1.1\r\nHost: a.localhost\r\n\r\n', 'url=/a%20b//c '],
    'hidden files': ['GET /.well-known/x HTTP/1.1\r\nHost: a.localhost\r\n\r\n', 'url=/.well-known/x '],
    'keep-alive, upgrade': ['GET /x HTTP/1.1\r\nHost: a.localhost\r\nConnection: Keep-Alive, TE\r\nTE: trailers\r\n\r\n', 'url=/x '],
  } as const;
  for (const [name, [bytes, expected]] of Object.entries(served)) {
    const answer = await exchangeBytes(port, bytes);
    assert.match(answer, /^HTTP\/1.1 200 /, name);
    assert.ok(answer.includes(expected), `${name}: ${answer}`);
  }
});

test('an encoded path cannot slip past a more specific route', async (context) => {
  const { router, port } = await startRouter(context);
  const [open, closed] = await Promise.all([startInstance(context, 'open'), startInstance(context, 'closed')]);
  const target = { kind: 'upstream', node: 'admin', servers: [closed], redirects: [] } as const;
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [open]), upstreamRoute('a.localhost', [], { path: '/admin/', target })));
  const paths = ['/admin', '/%61dmin/', '//admin/', '/admin%2Fx', '/%2Fadmin/', '/administrator'];
  const bodies = await Promise.all(paths.map(async (path) => (await ask(port, 'a.localhost', { path })).body));
  assert.deepEqual(bodies, ['closed', 'closed', 'closed', 'closed', 'closed', 'open']);
});

test('forwarded headers are ours, whatever the client sends', async (context) => {
  const { router, port } = await startRouter(context);
  const server = await startInstance(context, 'a', (request, response) => response.end(JSON.stringify(request.headers)));
  await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
  const spoofed = {
    'X-Forwarded-For': '6.6.6.6',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'evil',
    'X-Forwarded-Port': '1',
    'X-Forwarded-Server': 'evil',
    'X-Forwarded-Prefix': '/evil',
    'X-Real-IP': '6.6.6.6',
    X_Forwarded_For: '6.6.6.6',
    'X-Real_IP': '6.6.6.6',
    Forwarded: 'for=6.6.6.6',
    Proxy: 'http://evil',
    'Proxy-Connection': 'keep-alive',
    'Keep-Alive': 'timeout=9',
    TE: 'trailers',
    Connection: 'close, TE, Upgrade, HTTP2-Settings',
    Upgrade: 'h2c',
    'HTTP2-Settings': 'AAMAAABkAAQAAP__',
    'X-Own': 'stays',
  };
  const { body } = await ask(port, 'A.localhost:99', { headers: spoofed });
  assert.deepEqual(JSON.parse(body), {
    host: 'A.localhost:99',
    'x-own': 'stays',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'A.localhost:99',
    'x-forwarded-port': String(port),
    'x-real-ip': '127.0.0.1',
    forwarded: 'for=127.0.0.1;host="A.localhost:99";proto=http',
  });
});

test('unknown hosts get a page that repeats nothing of the request; notices and missing servers say when to come again', async (context) => {
  const { router, port } = await startRouter(context);
  const creating = { kind: 'notice', notice: 'creating', text: 'feature is \x1b[31mbeing\ncreated; <b>%[src]' } as const;
  await router.apply(one, tableOf(upstreamRoute('c.localhost', [], { target: creating }), upstreamRoute('e.localhost', [])));
  const unknown = await ask(port, 'evil--marker.localhost', { path: '/<script>marker' });
  assert.equal(unknown.status, 404);
  assert.match(unknown.body, /coppice env list/);
  assert.doesNotMatch(unknown.body, /marker/);
  const notice = await ask(port, 'c.localhost');
  assert.deepEqual(
    [notice.status, notice.headers['retry-after'], notice.headers['content-type'], notice.body],
    [503, '5', 'text/plain; charset=utf-8', 'feature is [31mbeing created; <b>%[src]\n'.replace('is [', 'is  [')],
  );
  const empty = await ask(port, 'e.localhost');
  assert.deepEqual([empty.status, empty.headers['retry-after']], [503, '2']);
  assert.match(empty.body, /No instance of the application answers/);
});

test('redirects carry path and query where their destination ends with a slash, and never lead to a host of the request', async (context) => {
  const { router, port } = await startRouter(context);
  const paths = [
    { path: '/from', to: '/to', code: 301, prefix: true },
    { path: '/exact', to: 'https://x.localhost/%20z', code: 308, prefix: false },
  ] as const;
  await router.apply(
    one,
    tableOf(
      redirectRoute('exact.localhost', 'https://b.localhost/landing'),
      redirectRoute('paths.localhost', '', { target: { kind: 'upstream', node: 'web', servers: [], redirects: paths } }),
      redirectRoute('sub.localhost', '/', { path: '/old/' }),
      redirectRoute('www.localhost', 'https://localhost/'),
    ),
  );
  const to = async (host: string, path: string): Promise<string> => {
    const { status, headers } = await ask(port, host, { path });
    return `${status} ${headers['location'] ?? ''}`.trim();
  };
  const asked = [
    ['www.localhost', '/a/b?c=1', '301 https://localhost/a/b?c=1'],
    ['www.localhost', '//evil.example/', '301 https://localhost/evil.example/'],
    ['exact.localhost', '/a?b', '301 https://b.localhost/landing'],
    ['sub.localhost', '/old', '301 /'],
    ['sub.localhost', '/old?x=1', '301 /?x=1'],
    ['sub.localhost', '/old/a?b', '301 /a?b'],
    ['sub.localhost', '/old//evil.example', '301 /evil.example'],
    ['sub.localhost', '/older', '404'],
    ['paths.localhost', '/from', '301 /to/'],
    ['paths.localhost', '/from/a?b', '301 /to/a?b'],
    ['paths.localhost', '/from//evil.example', '301 /to/evil.example'],
    ['paths.localhost', '/fromage', '503'],
    ['paths.localhost', '/exact?q', '308 https://x.localhost/%20z'],
  ] as const;
  assert.deepEqual(
    await Promise.all(asked.map(([host, path]) => to(host, path))),
    asked.map(([, , expected]) => expected),
  );
});

test('access and headers of a route hold for that route only', async (context) => {
  const { router, options, port } = await startRouter(context);
  const server = await startInstance(context, 'a');
  const access = (rest: Partial<RouteAccess>): { access: RouteAccess } => ({ access: { basicAuth: {}, addresses: [], ...rest } });
  const strange = `it's 100% $HOME "x" \\n %[src] # no comment`;
  await router.apply(
    one,
    tableOf(
      upstreamRoute('auth.localhost', [server], {
        ...access({ basicAuth: { bob: 's3cret', eve: 'x y:ü' } }),
        headers: { 'X-Strange': strange },
      }),
      upstreamRoute('closed.localhost', [server], access({ addresses: [{ permission: 'deny', block: '127.0.0.0/8' }] })),
      upstreamRoute('open.localhost', [server]),
      upstreamRoute(
        'some.localhost',
        [server],
        access({
          addresses: [
            { permission: 'allow', block: '127.0.0.1' },
            { permission: 'deny', block: 'any' },
          ],
        }),
      ),
    ),
  );
  const status = async (host: string, credentials?: string): Promise<number> => {
    const headers: Record<string, string> =
      credentials === undefined ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    return (await ask(port, host, { headers })).status;
  };
  assert.deepEqual(
    [
      await status('auth.localhost'),
      await status('auth.localhost', 'bob:wrong'),
      await status('auth.localhost', 'bob:s3cret'),
      await status('auth.localhost', 'eve:x y:ü'),
    ],
    [401, 401, 200, 200],
  );
  assert.deepEqual([await status('closed.localhost'), await status('some.localhost'), await status('open.localhost')], [403, 200, 200]);
  const answer = await ask(port, 'auth.localhost', { headers: { authorization: `Basic ${Buffer.from('bob:s3cret').toString('base64')}` } });
  assert.equal(answer.headers['x-strange'], strange);
  for (const file of ['haproxy.cfg', 'environments/e_one.json'])
    assert.doesNotMatch(readFileSync(`${options.directory}/${file}`, 'utf8'), /s3cret/, file);
});
