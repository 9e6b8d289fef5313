import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ActivityView, EnvironmentDetail, EnvironmentView } from '@coppice/control';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { mustRun, TestServer, until } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

test('the static site serves its files with what it declares for them', async () => {
  const clone = await server.project('site', 'static-site');
  await clone.deploy();
  const host = 'main.site.localhost';
  const [index, missing] = [await server.request(host), await server.request(host, '/not-there')];
  assert.equal(index.status, 200);
  assert.match(index.headers['content-type'] ?? '', /^text\/html/);
  assert.match(index.headers['cache-control'] ?? '', /max-age=300/);
  assert.match(index.body, /<html/);
  assert.match(missing.body, /Not here/);
  const page = (await clone.read('public/index.html')).replace('</body>', '<p>changed</p></body>');
  await clone.deploy({ 'public/index.html': page });
  assert.match((await server.request(host)).body, /changed/);
});

test('the Python counter counts on over pushes that leave its store alone', async () => {
  const clone = await server.project('counter', 'python-counter');
  await clone.deploy();
  const host = 'main.counter.localhost';
  const count = async (): Promise<number> => Number(/\d+/.exec((await server.request(host)).body)?.[0]);
  const first = await count();
  assert.equal(await count(), first + 1);
  const store = async (): Promise<unknown> => {
    const { nodes } = await server.read<EnvironmentDetail>('env', 'show', '--project', 'counter');
    return nodes.find(({ name }) => name === 'store')?.instances;
  };
  const before = await store();
  await clone.deploy({ 'counter.py': `${await clone.read('counter.py')}\n# changed\n` });
  assert.equal(await count(), first + 2);
  assert.deepEqual(await store(), before);
});

test('an instance that dies is replaced by itself, and one that is removed by hand too', async () => {
  const clone = await server.project('dying');
  await clone.deploy(tinyApp({ yaml: `${tinyYaml}    instances: 2\n`, paths: { '/die': 'response.end("bye"); process.exit(1);' } }));
  const ids = async (): Promise<readonly string[]> => {
    const { nodes } = await server.read<EnvironmentDetail>('env', 'show', '--project', 'dying');
    return nodes.flatMap(({ instances }) => instances.filter(({ status }) => status === 'ready').map(({ id }) => id)).sort();
  };
  const before = await ids();
  await server.request('main.dying.localhost', '/die').catch(() => undefined);
  const now = await until(
    async () => {
      const found = await ids();
      return found.length === 2 && found.join() !== before.join() ? found : undefined;
    },
    { what: 'two instances are ready again' },
  );
  assert.equal(now.filter((id) => before.includes(id)).length, 1);
  await mustRun('docker', ['rm', '--force', now[0] ?? '']);
  await until(async () => (await ids()).length === 2 && !(await ids()).includes(now[0] ?? ''), { what: 'a removed one is replaced' });
  const repairs = (await server.read<ActivityView[]>('activity', 'list')).filter(({ kind }) => kind === 'repair');
  assert.ok(repairs.length >= 1);
  assert.equal((await server.request('main.dying.localhost')).body, 'one');
});

test('env redeploy deploys the tip again without building or touching what is as it should be', async () => {
  const clone = await server.project('again');
  await clone.deploy(tinyApp());
  const before = { state: await server.dockerState(), images: await server.builtImages() };
  const redeployed = await server.cli('env', 'redeploy', 'main', '--project', 'again');
  assert.equal(redeployed.code, 0, redeployed.stderr);
  assert.deepEqual({ state: await server.dockerState(), images: await server.builtImages() }, before);
});

test('a deployment that is cancelled ends, and the old release serves on', async () => {
  const clone = await server.project('cancelled');
  await clone.deploy(tinyApp());
  await clone.commit(tinyApp({ answer: 'two', before: 'await new Promise((resolve) => setTimeout(resolve, 50_000));' }));
  const push = clone.push('main');
  const running = await until(
    async () => {
      const activities = await server.read<ActivityView[]>('activity', 'list');
      return activities.find(({ kind, state, project }) => kind === 'push' && state === 'running' && project === 'cancelled');
    },
    { what: 'the deployment runs' },
  );
  const cancelled = await server.cli('activity', 'cancel', running.id);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  const { code, output } = await push;
  assert.equal(code, 1);
  assert.match(output, /cancelled/);
  assert.equal((await server.request('main.cancelled.localhost')).body, 'one');
  const log = await server.cli('activity', 'list', '--json');
  assert.equal(log.json<ActivityView[]>().find(({ id }) => id === running.id)?.state, 'cancelled');
  assert.equal((await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === 'cancelled').length, 1);
});

test('a build that is cancelled ends at once, leaves nothing, and the next push goes through', async () => {
  const clone = await server.project('unbuilt');
  await clone.deploy(tinyApp());
  await clone.commit(tinyApp({ answer: 'two', yaml: `${tinyYaml}    build: ["sleep 300"]\n` }));
  const push = clone.push('main');
  const running = await until(
    async () => {
      const activities = await server.read<ActivityView[]>('activity', 'list', '--project', 'unbuilt');
      const found = activities.find(({ kind, state }) => kind === 'build' && state === 'running');
      return found && (await server.cli('activity', 'log', found.id)).stdout.includes('sleep 300') ? found : undefined;
    },
    { what: 'the build runs' },
  );
  const cancelledMs = performance.now();
  assert.equal((await server.cli('activity', 'cancel', running.id)).code, 0);
  const { code, output } = await push;
  assert.equal(code, 1);
  assert.match(output, /cancelled/);
  assert.ok(performance.now() - cancelledMs < 15_000);
  assert.equal((await server.request('main.unbuilt.localhost')).body, 'one');
  assert.equal((await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === 'unbuilt').length, 1);
  await clone.git('reset', '--quiet', '--hard', 'HEAD^');
  await clone.deploy(tinyApp({ answer: 'three' }));
  assert.equal((await server.request('main.unbuilt.localhost')).body, 'three');
});

test('a push whose client leaves while it deploys goes to its end, and branch and environment agree', async () => {
  const clone = await server.project('left');
  await clone.deploy(tinyApp());
  const commit = await clone.commit(tinyApp({ answer: 'two', before: 'await new Promise((resolve) => setTimeout(resolve, 3000));' }));
  const containers = (await server.containers()).length;
  const push = clone.startPush('main');
  await until(async () => (await server.containers()).length > containers, { what: 'the new instance starts' });
  push.kill('SIGKILL');
  await until(async () => (await server.read<EnvironmentDetail>('env', 'show', '--project', 'left')).release?.commit === commit, {
    what: 'the release serves',
  });
  assert.equal((await server.request('main.left.localhost')).body, 'two');
  assert.match(await clone.git('ls-remote', 'origin', 'refs/heads/main'), new RegExp(commit));
});

test('deleting the environment that others stem from leaves those as they are', async () => {
  const clone = await server.project('family');
  await clone.deploy(tinyApp());
  assert.equal((await clone.push('HEAD:refs/heads/child')).code, 0);
  const deleted = await server.cli('env', 'delete', 'main', '--project', 'family');
  assert.equal(deleted.code, 0, deleted.stderr);
  const left = await server.read<EnvironmentView[]>('env', 'list', '--project', 'family');
  assert.deepEqual(
    left.map(({ name, parent, status }) => [name, parent, status]),
    [['child', null, 'active']],
  );
  assert.equal((await server.request('child.family.localhost')).body, 'one');
  assert.equal((await clone.push('HEAD:refs/heads/main')).code, 0);
});
