import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { staticServerFiles } from '@coppice/catalog';
import type { WebLocation } from '@coppice/model';
import { docker, eventually, loadImage, runContainer, typeOf } from './testing/base-container.ts';

const plain: WebLocation = {
  root: 'public',
  index: ['index.html'],
  passthru: false,
  expiresSeconds: -1,
  allow: true,
  headers: {},
  rules: {},
};
const locations = {
  '/': { ...plain, headers: { 'X-Price': '$5 "net" \\ {}' } },
  '/docs': {
    ...plain,
    root: 'build/docs',
    expiresSeconds: 60,
    rules: { '\\.css$': { expiresSeconds: 3600, headers: { 'X-Rule': 'css' } }, '/private/': { allow: false } },
  },
  '/spa': { ...plain, root: 'spa', passthru: '/spa/index.html' },
};
const files = {
  '/app/public/index.html': '<p>home',
  '/app/public/.secret': 'no',
  '/app/public/.well-known/security.txt': 'yes',
  '/app/coppice.yaml': 'no',
  '/app/build/docs/a.css': 'a {}',
  '/app/build/docs/sub/index.html': '<p>sub',
  '/app/build/docs/private/x.html': 'no',
  '/app/build/secret.txt': 'no',
  '/app/spa/index.html': '<p>spa',
  '/app/spa/app.js': '1',
};

test('static 1', async (t) => {
  const type = typeOf('static', '1');
  const { name: image } = await loadImage(type, { ...files, ...staticServerFiles(locations) });
  const server = await runContainer(image, type);
  after(async () => {
    await server.remove();
    await docker(['rmi', '--force', image]);
  });
  await server.start();
  const host = await server.address();
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<{ status: number; body: string; headers: Readonly<Record<string, string | string[] | undefined>> }>((resolve, reject) => {
      const sent = request({ host, port: 8080, path, headers }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
      });
      sent.on('error', reject);
      sent.end();
    });
  const summary = async (path: string) => {
    const { status, body } = await get(path);
    return status === 200 ? body : status;
  };
  await eventually('serves', () =>
    get('/').then(
      () => true,
      () => false,
    ),
  );

  await t.test('serves files of each location, and the index of folders', async () => {
    assert.deepEqual(await Promise.all(['/', '/docs/a.css', '/docs/sub/', '/spa/app.js', '/.well-known/security.txt'].map(summary)), [
      '<p>home',
      'a {}',
      '<p>sub',
      '1',
      'yes',
    ]);
  });

  await t.test('falls back to the file that passthru names, and else answers 404', async () => {
    assert.deepEqual(await Promise.all(['/spa/some/page', '/missing', '/docs/missing'].map(summary)), ['<p>spa', 404, 404]);
  });

  await t.test('lets nobody out of the roots', async () => {
    const paths = [
      '/.secret',
      '/coppice.yaml',
      '/docs/private/x.html',
      '/docs../secret.txt',
      '/docs/../../etc/passwd',
      '/%2e%2e/coppice.yaml',
      '/docs/',
    ];
    assert.deepEqual(await Promise.all(paths.map(summary)), [404, 404, 403, 404, 400, 400, 403]);
  });

  await t.test('redirects to the folder relatively', async () => {
    assert.deepEqual(
      (await Promise.all(['/docs', '/docs/sub'].map((path) => get(path)))).map(({ status, headers }) => [status, headers['location']]),
      [
        [301, '/docs/'],
        [301, '/docs/sub/'],
      ],
    );
  });

  await t.test('sends headers, lifetimes and rules as they were written, an ETag, and no time or version', async () => {
    const of = async (path: string) => {
      const { headers } = await get(path);
      return ['x-price', 'x-rule', 'cache-control', 'last-modified', 'server'].map((name) => headers[name]);
    };
    assert.deepEqual(await of('/'), ['$5 "net" \\ {}', undefined, undefined, undefined, 'nginx']);
    assert.deepEqual(await of('/docs/sub/'), [undefined, undefined, 'max-age=60', undefined, 'nginx']);
    assert.deepEqual(await of('/docs/a.css'), [undefined, 'css', 'max-age=3600', undefined, 'nginx']);
    const { headers } = await get('/');
    assert.equal((await get('/', { 'If-None-Match': `${headers['etag']}` })).status, 304);
  });

  await t.test('writes its log to the output, and stops cleanly', async () => {
    assert.match(await server.logs(), /GET \/docs\/a\.css/);
    const { ms, exitCode } = await server.stop();
    assert.deepEqual([exitCode, ms < 3000], [0, true]);
  });
});
