import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DeploymentView, DiffView, EnvironmentDetail, EnvironmentView, PlanView, ReleaseView } from '@coppice/control';
import { shapeOf } from './harness/shape.ts';
import { type Clone, TestServer } from './harness.ts';

const host = 'main.guestbook.localhost';

let server: TestServer;
let clone: Clone;
/** Output of the first push. */
let first = '';

before(async () => {
  server = await TestServer.start();
  clone = await server.project('guestbook', 'guestbook');
  first = (await clone.deploy()).output;
});
after(async () => {
  await server.stop();
});

async function show(): Promise<EnvironmentDetail> {
  return await server.read<EnvironmentDetail>('env', 'show', '--project', 'guestbook');
}

async function deployments(): Promise<readonly DeploymentView[]> {
  return await server.read<DeploymentView[]>('deployments', '--project', 'guestbook');
}

/** Container ids by node. */
async function instances(): Promise<Readonly<Record<string, readonly string[]>>> {
  return Object.fromEntries((await show()).nodes.map((node) => [node.name, node.instances.map(({ id }) => id)]));
}

async function sign(message: string): Promise<void> {
  const answer = await server.request(host, '/entries', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ author: 'Ada', message }).toString(),
  });
  assert.equal(answer.status, 303, answer.body);
}

async function page(): Promise<string> {
  const answer = await server.request(host);
  assert.equal(answer.status, 200, answer.body);
  return answer.body;
}

test('the first push shows its plan and where it is live, and answers there', async () => {
  for (const node of ['web', 'db', 'cache']) assert.match(first, new RegExp(`remote: .*create ${node}\\b`));
  assert.match(first, new RegExp(`remote: live at http://${host}:\\d+/`));
  assert.match(await page(), /Welcome to the guestbook/);
});

test('the JSON of the environment, its list, deployments and release has the documented shape', async () => {
  const view = {
    name: 'string',
    branch: 'string',
    parent: 'null',
    status: 'string',
    urls: ['string'],
    release: { commit: 'string', tree: 'string', digest: 'string' },
    deployment: 'string',
  };
  const instances = [{ id: 'string', status: 'string' }];
  const node = { name: 'string', kind: 'string', digest: 'string', image: 'string', instances, crashes: 'null' };
  assert.deepEqual(shapeOf(await server.read<EnvironmentView[]>('env', 'list', '--project', 'guestbook')), [view]);
  assert.deepEqual(shapeOf(await show()), { ...view, nodes: [node] });
  assert.deepEqual(shapeOf(await deployments()), [
    {
      id: 'string',
      sequence: 'number',
      environment: 'string',
      commit: 'string',
      release: 'string',
      status: 'string',
      reason: 'string',
      startedAt: 'string',
      finishedAt: 'string',
      durations: { build: 'number', plan: 'number', apply: 'number' },
      plans: [{ digest: 'string', changes: 'number' }],
    },
  ]);
  assert.deepEqual(shapeOf(await server.read<ReleaseView>('release', 'show', '--project', 'guestbook')), {
    commit: 'string',
    tree: 'string',
    digest: 'string',
    nodes: [{ name: 'string', kind: 'string', image: 'string', digest: 'string', type: 'string', version: 'string' }],
  });
});

test('what is reported is what was pushed and what runs', async () => {
  const environment = await show();
  const commit = await clone.git('rev-parse', 'HEAD');
  const tree = await clone.git('rev-parse', 'HEAD^{tree}');
  const [deployment] = await deployments();
  const release = await server.read<ReleaseView>('release', 'show', '--project', 'guestbook');
  assert.deepEqual(
    { ...environment, urls: environment.urls.map((url) => url.replace(/:\d+\//, '/')), nodes: undefined },
    {
      name: 'main',
      branch: 'main',
      parent: null,
      status: 'active',
      urls: [`http://${host}/`],
      release: { commit, tree, digest: release.digest },
      deployment: deployment?.id,
      nodes: undefined,
    },
  );
  assert.deepEqual(
    environment.nodes.map(({ name, kind, instances: running }) => [name, kind, running.map(({ status }) => status)]).sort(),
    [
      ['cache', 'service', ['ready']],
      ['db', 'service', ['ready']],
      ['web', 'application', ['ready']],
    ],
  );
  assert.deepEqual([release.commit, release.tree, deployment?.release, deployment?.status], [commit, tree, release.digest, 'succeeded']);
  const running = await server.dockerIds();
  assert.deepEqual(
    Object.values(await instances())
      .flat()
      .sort(),
    running,
  );
});

test('a second push that changes one line keeps the data and replaces only the container of the application', async () => {
  await sign('kept over pushes');
  const before = await instances();
  const { output } = await clone.deploy({
    'page.js': (await clone.read('page.js')).replace('Welcome to the guestbook', 'Welcome back'),
  });
  const now = await instances();
  const body = await page();
  assert.match(body, /Welcome back/);
  assert.match(body, /kept over pushes/);
  assert.deepEqual([now['db'], now['cache']], [before['db'], before['cache']]);
  assert.notDeepEqual(now['web'], before['web']);
  assert.match(output, /replace web: image changed \(source tree [0-9a-f]{7} → [0-9a-f]{7}\)/);
});

test('a push of a README alone touches no container and builds nothing', async () => {
  const before = await server.dockerState();
  const images = await server.builtImages();
  await clone.deploy({ 'README.md': 'changed\n' });
  const [deployment] = await deployments();
  assert.deepEqual(await server.dockerState(), before);
  assert.deepEqual(await server.builtImages(), images);
  assert.equal(deployment?.status, 'succeeded');
});

test('a revert with git brings back the release without building', async () => {
  const before = await server.read<ReleaseView>('release', 'show', '--project', 'guestbook');
  await clone.deploy({ 'page.js': (await clone.read('page.js')).replace('Welcome back', 'A third greeting') });
  assert.match(await page(), /A third greeting/);
  const images = await server.builtImages();
  await clone.git('revert', '--no-edit', 'HEAD');
  const push = await clone.push();
  const after = await server.read<ReleaseView>('release', 'show', '--project', 'guestbook');
  assert.equal(push.code, 0, push.output);
  assert.equal(after.digest, before.digest);
  assert.deepEqual(after.nodes, before.nodes);
  assert.deepEqual(await server.builtImages(), images);
  assert.doesNotMatch(push.output, /building/);
  assert.match(await page(), /Welcome back/);
});

test('coppice revert makes one commit on the tip with the tree of the deployment, without building', async () => {
  const history = await deployments();
  const oldest = history.at(-1);
  const tip = await clone.git('rev-parse', 'HEAD');
  const images = await server.builtImages();
  const reverted = await server.cli('revert', oldest?.id ?? '', '--project', 'guestbook');
  assert.equal(reverted.code, 0, reverted.stderr);
  await clone.git('fetch', '--quiet', 'origin');
  assert.equal(await clone.git('rev-parse', 'origin/main^'), tip);
  assert.equal(await clone.git('rev-parse', 'origin/main^{tree}'), await clone.git('rev-parse', `${oldest?.commit}^{tree}`));
  assert.deepEqual(await server.builtImages(), images);
  const [newest] = await deployments();
  assert.deepEqual([newest?.release, newest?.status], [oldest?.release, 'succeeded']);
  const body = await page();
  assert.match(body, /Welcome to the guestbook/);
  assert.match(body, /kept over pushes/);
  await clone.git('merge', '--quiet', '--ff-only', 'origin/main');
});

test('the same tree on another branch is the same release, built once, with a copy of the data', async () => {
  const images = await server.builtImages();
  await clone.git('switch', '--quiet', '--create', 'twin');
  await clone.git('commit', '--quiet', '--allow-empty', '--message', 'the same tree');
  const push = await clone.push('twin');
  assert.equal(push.code, 0, push.output);
  assert.deepEqual(await server.builtImages(), images);
  const environments = await server.read<EnvironmentView[]>('env', 'list', '--project', 'guestbook');
  const [main, twin] = ['main', 'twin'].map((name) => environments.find((environment) => environment.name === name));
  assert.deepEqual([twin?.release?.digest, twin?.parent, twin?.status], [main?.release?.digest, 'main', 'active']);
  const answer = await server.request('twin.guestbook.localhost');
  assert.equal(answer.status, 200);
  assert.match(answer.body, /kept over pushes/);
  const diff = await server.read<DiffView>('diff', 'main', 'twin', '--project', 'guestbook');
  assert.deepEqual(diff, { equal: true, changes: [] });
});

test('a plan of the tip changes nothing', async () => {
  const plan = await server.cli('plan', '--project', 'guestbook', '--json');
  const { changes, steps, toBuild } = plan.json<PlanView>();
  assert.deepEqual([plan.code, steps, toBuild], [0, [], []]);
  assert.deepEqual(
    changes.map(({ node, action }) => [node, action]).sort(),
    ['cache', 'db', 'web'].map((node) => [node, 'keep']),
  );
});
