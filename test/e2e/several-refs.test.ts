import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EnvironmentView } from '@coppice/control';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { type Clone, TestServer } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

/** A clone with branches `good` and `bad`, of which the second never serves. */
async function goodAndBad(project: string): Promise<Clone> {
  const clone = await server.project(project);
  await clone.commit(tinyApp({ answer: 'good' }));
  await clone.git('branch', 'good');
  await clone.commit(tinyApp({ before: 'process.exit(6);' }));
  await clone.git('branch', 'bad');
  return clone;
}

async function served(project: string): Promise<readonly string[]> {
  return (await server.read<EnvironmentView[]>('env', 'list', '--project', project)).map(({ name }) => name).sort();
}

test('of two branches in one push the one that serves is taken, the other refused with its reason', async () => {
  const clone = await goodAndBad('mixed');
  const push = await clone.push(['good', 'bad']);
  assert.equal(push.code, 1);
  assert.match(push.output, /\* \[new branch\]\s+good -> good/);
  assert.match(push.output, /! \[remote rejected\] bad -> bad \(.*exit code 6.*\)/);
  assert.deepEqual(await served('mixed'), ['good']);
  assert.equal((await server.request('good.mixed.localhost')).body, 'good');
});

test('an atomic push is not promised, and takes nothing', async () => {
  const clone = await goodAndBad('atomic');
  const refused = await clone.tryGit('push', '--atomic', 'origin', 'good', 'bad');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /does not support --atomic/);
  assert.equal(await clone.git('ls-remote', 'origin'), '');
  assert.deepEqual(await served('atomic'), []);
});

test('a branch and the deletion of another go in one push', async () => {
  const clone = await server.project('swap');
  await clone.deploy(tinyApp());
  await clone.git('push', '--quiet', 'origin', 'HEAD:refs/heads/old');
  const push = await clone.push(['HEAD:refs/heads/new', ':refs/heads/old']);
  assert.equal(push.code, 0, push.output);
  assert.deepEqual(await served('swap'), ['main', 'new']);
});

test('routes lead by host and path, redirect and ask for a password as declared', async () => {
  const clone = await server.project('routes');
  const yaml = `${tinyYaml}  api:
    type: nodejs:24
    start: node api.mjs
routes:
  "http://{default}/": { type: upstream, upstream: "web:http" }
  "http://{default}/api": { type: upstream, upstream: "api:http" }
  "http://www.{default}/": { type: redirect, to: "http://{default}/" }
  "http://closed.{default}/":
    type: upstream
    upstream: "api:http"
    access: { basic_auth: { ada: open-sesame-12 } }
`;
  const api = tinyApp({ answer: 'unused', paths: { '/api': 'response.end("api");', '/api/x': 'response.end("api x");' } })['server.mjs'];
  await clone.deploy({ ...tinyApp({ yaml }), 'api.mjs': api ?? '' });
  const host = 'main.routes.localhost';
  const answers = [await server.request(host), await server.request(host, '/api'), await server.request(host, '/api/x')];
  assert.deepEqual(
    answers.map(({ body }) => body),
    ['one', 'api', 'api x'],
  );
  const redirect = await server.request(`www.${host}`, '/deep?x=1');
  assert.ok([301, 302, 307, 308].includes(redirect.status), String(redirect.status));
  assert.match(redirect.headers.location ?? '', new RegExp(`^http://${host}(:\\d+)?/`));
  const closed = await server.request(`closed.${host}`, '/api');
  const opened = await server.request(`closed.${host}`, '/api', {
    headers: { authorization: `Basic ${Buffer.from('ada:open-sesame-12').toString('base64')}` },
  });
  assert.deepEqual([closed.status, opened.status, opened.body], [401, 200, 'api']);
});
