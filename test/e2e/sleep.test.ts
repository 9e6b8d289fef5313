import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ActivityView, EnvironmentDetail } from '@coppice/control';
import { notedApp } from '../faults/noted-app.ts';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { TestServer, until } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

async function environment(project: string): Promise<EnvironmentDetail> {
  return await server.read<EnvironmentDetail>('env', 'show', '--project', project);
}

async function containersOf(project: string): Promise<number> {
  return (await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === project).length;
}

async function activities(project: string, kind: string): Promise<readonly ActivityView[]> {
  return (await server.read<ActivityView[]>('activity', 'list', '--project', project)).filter((activity) => activity.kind === kind);
}

async function suspend(project: string): Promise<void> {
  const { code, stderr } = await server.cli('env', 'suspend', '--project', project);
  assert.equal(code, 0, stderr);
  assert.deepEqual([(await environment(project)).status, await containersOf(project)], ['suspended', 0]);
}

test('a suspended environment runs nothing and keeps its data; many requests at once wake it once and are answered', async () => {
  const clone = await server.project('sleepy');
  await clone.deploy(notedApp('redis', 'v1'));
  const host = 'main.sleepy.localhost';
  await server.request(host, '/', { method: 'POST', body: '1-before' });
  await suspend('sleepy');
  const asked = Array.from({ length: 20 }, (_, index) =>
    server.request(host, '/', { method: 'POST', body: `2-${index}`, timeoutMs: 60_000 }),
  );
  assert.deepEqual(new Set((await Promise.all(asked)).map(({ status, body }) => `${status} ${body}`)), new Set(['200 v1']));
  const noted = (await server.request(host, '/noted')).body.split('\n');
  assert.deepEqual([...noted].sort(), ['1-before', ...asked.map((_, index) => `2-${index}`)].sort());
  assert.equal((await activities('sleepy', 'wake')).length, 1);
  await until(async () => (await environment('sleepy')).status === 'active', { what: 'it is active again' });
});

test('resume wakes it; a push to one that sleeps deploys and lets it sleep again', async () => {
  const clone = await server.project('pushed');
  await clone.deploy(tinyApp({ answer: 'one' }));
  await suspend('pushed');
  const { output } = await clone.deploy(tinyApp({ answer: 'two' }));
  assert.match(output, /slept and sleeps again/);
  await until(async () => (await containersOf('pushed')) === 0, { what: 'it sleeps again' });
  assert.equal((await environment('pushed')).status, 'suspended');
  const resumed = await server.cli('env', 'resume', '--project', 'pushed');
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual([(await server.request('main.pushed.localhost')).body, (await environment('pushed')).status], ['two', 'active']);
});

test('what cannot wake answers 503 with the reason', async () => {
  const clone = await server.project('broken');
  const fails = `import { existsSync, writeFileSync } from 'node:fs';
if (existsSync('data/started')) process.exit(7);
writeFileSync('data/started', '');`;
  await clone.deploy(tinyApp({ yaml: `${tinyYaml}    mounts: { data: instance }\n`, before: fails }));
  await suspend('broken');
  const answer = await server.request('main.broken.localhost', '/', { timeoutMs: 60_000 });
  assert.equal(answer.status, 503);
  assert.match(answer.body, /could not wake: web ended with exit code 7 before it was ready/);
  assert.ok(answer.headers['retry-after'] !== undefined);
  await until(async () => (await environment('broken')).status === 'suspended' && (await containersOf('broken')) === 0, {
    what: 'it sleeps on',
  });
});

test('an environment that nobody asks sleeps by itself, and requests before that keep it awake', async () => {
  const clone = await server.project('idle');
  await clone.deploy(tinyApp({ yaml: `${tinyYaml}environments: [{ match: main, suspend_after: 10s }]\n` }));
  const startedMs = performance.now();
  await until(
    async () => {
      assert.equal((await server.request('main.idle.localhost')).status, 200);
      return performance.now() - startedMs > 15_000;
    },
    { what: 'it is asked again and again', everyMs: 1_000 },
  );
  assert.deepEqual(await activities('idle', 'suspend'), []);
  await until(async () => (await environment('idle')).status === 'suspended', { what: 'it sleeps', withinMs: 40_000, everyMs: 500 });
  assert.equal((await server.request('main.idle.localhost', '/', { timeoutMs: 60_000 })).body, 'one');
});
