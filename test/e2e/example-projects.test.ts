import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestServer } from './harness.ts';

let server: TestServer;

before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

async function exec(project: string, node: string, ...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli('--project', project, 'exec', node, '--', ...argv);
  assert.equal(code, 0, `${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

test('a changed file of the same length gets another ETag, so no browser keeps the old one', async () => {
  const clone = await server.project('site', 'static-site');
  await clone.deploy();
  const before = await server.request('main.site.localhost', '/style.css');
  const etag = { 'if-none-match': String(before.headers.etag) };
  assert.equal((await server.request('main.site.localhost', '/style.css', { headers: etag })).status, 304);
  await clone.deploy({ 'public/style.css': (await clone.read('public/style.css')).replace('18px', '19px') });
  const changed = await server.request('main.site.localhost', '/style.css', { headers: etag });
  assert.equal(changed.status, 200);
  assert.match(changed.body, /19px/);
});

test('the counter passes its own tests inside its image', async () => {
  await (await server.project('counter', 'python-counter')).deploy();
  assert.match(await exec('counter', 'counter', 'python3', '-m', 'unittest'), /Ran 2 tests[\s\S]*OK/);
});

test('the guestbook passes its own tests inside its image', async () => {
  await (await server.project('book', 'guestbook')).deploy();
  assert.match(await exec('book', 'web', 'node', '--test'), /pass 4/);
});
