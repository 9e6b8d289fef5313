import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { EnvironmentDetail, EnvironmentView } from '@coppice/control';
import { tinyApp } from './harness/tiny-app.ts';
import { type Clone, mustRun, TestServer } from './harness.ts';

const withData = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    relationships: [cache]
    mounts: { uploads: storage }
services:
  cache: redis:7
`;
const reveal = {
  '/cache': 'response.end(process.env.CACHE_URL);',
  '/branch': 'response.end(process.env.PLATFORM_BRANCH + " " + process.env.PLATFORM_ENVIRONMENT);',
};

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

async function environments(project: string): Promise<readonly EnvironmentView[]> {
  return await server.read<EnvironmentView[]>('env', 'list', '--project', project);
}

async function names(project: string): Promise<readonly string[]> {
  return (await environments(project)).map(({ name }) => name).sort();
}

async function remoteRefs(clone: Clone): Promise<readonly string[]> {
  const lines = (await clone.git('ls-remote', 'origin')).split('\n');
  return lines.flatMap((line) => line.split('\t')[1] ?? []).filter((ref) => ref !== 'HEAD' && ref !== 'refs/notes/coppice');
}

/** Things on the engine that carry the id of an environment. */
async function thingsOf(environment: string): Promise<readonly string[]> {
  const filter = ['--filter', `label=coppice.environment=${environment}`];
  const containers = await mustRun('docker', ['ps', '--all', '--quiet', ...filter]);
  const networks = await mustRun('docker', ['network', 'ls', '--filter', `name=${environment}`, '--quiet']);
  return `${containers}${networks}`.split('\n').filter((line) => line !== '');
}

async function environmentId(project: string, name: string): Promise<string> {
  const { nodes } = await server.read<EnvironmentDetail>('env', 'show', name, '--project', project);
  const container = (await server.containers()).find(({ Id }) => Id === nodes[0]?.instances[0]?.id);
  return container?.Config.Labels['coppice.environment'] ?? '';
}

test('a branch gets an environment with its own URL, parent, service and credentials, and loses all with its branch', async () => {
  const clone = await server.project('shop');
  await clone.deploy(tinyApp({ yaml: withData, paths: reveal }));
  await clone.git('switch', '--quiet', '--create', 'feature');
  const pushed = await clone.deploy(tinyApp({ answer: 'feature', yaml: withData, paths: reveal }));
  assert.match(pushed.output, /live at http:\/\/feature\.shop\.localhost:\d+\//);
  const feature = (await environments('shop')).find(({ name }) => name === 'feature');
  assert.deepEqual([feature?.branch, feature?.parent, feature?.status], ['feature', 'main', 'active']);
  const bodies = await Promise.all(
    ['main', 'feature'].map(async (name) => {
      const host = `${name}.shop.localhost`;
      const [home, branch] = [await server.request(host), await server.request(host, '/branch')];
      return [home.body, branch.body];
    }),
  );
  assert.deepEqual(bodies, [
    ['one', 'main main'],
    ['feature', 'feature feature'],
  ]);
  const [mainUrl, featureUrl] = [
    (await server.request('main.shop.localhost', '/cache')).body,
    (await server.request('feature.shop.localhost', '/cache')).body,
  ];
  assert.match(mainUrl, /^redis:\/\/[^:]+:[^@]{16,}@cache\.internal:6379/);
  assert.notEqual(new URL(mainUrl).password, new URL(featureUrl).password);

  const id = await environmentId('shop', 'feature');
  const others = (await server.dockerState()).filter(({ name }) => !name.includes(id));
  const volumes = (): readonly string[] => readdirSync(join(server.data, 'volumes'), { recursive: true }).map(String);
  assert.ok(volumes().some((path) => path.includes(id)));
  assert.notDeepEqual(await thingsOf(id), []);
  await clone.git('push', '--quiet', 'origin', '--delete', 'feature');
  assert.deepEqual(await thingsOf(id), []);
  assert.deepEqual(
    volumes().filter((path) => path.includes(id)),
    [],
  );
  assert.deepEqual(await names('shop'), ['main']);
  assert.deepEqual(await remoteRefs(clone), ['refs/heads/main']);
  assert.deepEqual(await server.dockerState(), others);
  const gone = await server.request('feature.shop.localhost');
  assert.equal(gone.status, 404);
});

test('env delete removes the environment and its branch, project delete everything of the project', async () => {
  const clone = await server.project('gone');
  await clone.deploy(tinyApp());
  await clone.git('switch', '--quiet', '--create', 'other');
  assert.equal((await clone.push('other')).code, 0);
  const deleted = await server.cli('env', 'delete', 'other', '--project', 'gone');
  assert.equal(deleted.code, 0, deleted.stderr);
  assert.deepEqual([await names('gone'), await remoteRefs(clone)], [['main'], ['refs/heads/main']]);
  const id = await environmentId('gone', 'main');
  const project = await server.cli('project', 'delete', 'gone');
  assert.equal(project.code, 0, project.stderr);
  assert.deepEqual(await thingsOf(id), []);
  const repositories = readdirSync(join(server.data, 'repositories')).length;
  const projects = await server.read<{ readonly name: string }[]>('project', 'list');
  assert.ok(!projects.some(({ name }) => name === 'gone'));
  assert.ok(repositories >= projects.length && existsSync(join(server.data, 'repositories')));
  assert.equal((await server.cli('env', 'list', '--project', 'gone')).code, 3);
  assert.notEqual((await clone.push('main')).code, 0);
});

test('names of environments are labels, unique and stable, whatever the branch is called', async () => {
  const clone = await server.project('odd');
  await clone.commit(tinyApp());
  const long = `long/${'x'.repeat(120)}`;
  const branches = ['Feature/Login', 'feature-login', 'feature/login', '123', '🌲', '$(id)', long];
  const push = await clone.push(branches.map((branch) => `HEAD:refs/heads/${branch}`));
  assert.equal(push.code, 0, push.output);
  const found = await environments('odd');
  const byBranch = new Map(found.map(({ branch, name }) => [branch, name]));
  assert.deepEqual([...byBranch.keys()].sort(), [...branches].sort());
  assert.equal(new Set(byBranch.values()).size, branches.length);
  for (const name of byBranch.values()) assert.match(name, /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/);
  assert.equal(byBranch.get('feature-login'), 'feature-login');
  assert.match(byBranch.get('feature/login') ?? '', /^feature-login-[0-9a-f]{6}$/);
  for (const { name, urls } of found) {
    const { host } = new URL(urls[0] ?? '');
    assert.equal(host.split('.')[0], name);
    assert.equal((await server.request(host)).status, 200);
  }
  const deleted = await clone.tryGit('push', 'origin', '--delete', ...branches.slice(1));
  assert.equal(deleted.code, 0, deleted.stderr);
  assert.deepEqual(
    (await environments('odd')).map(({ branch }) => branch),
    ['Feature/Login'],
  );
});

test('a branch with spaces look-alikes or characters nobody sees is refused, and nothing of the push is taken', async () => {
  const clone = await server.project('hidden');
  await clone.commit(tinyApp());
  for (const branch of ['no\u00a0space', 'zero\u200bwidth', 'x'.repeat(250)]) {
    const push = await clone.push(['HEAD:refs/heads/main', `HEAD:refs/heads/${branch}`]);
    assert.notEqual(push.code, 0, `${branch}: ${push.output}`);
  }
  assert.deepEqual(await remoteRefs(clone), []);
  assert.deepEqual(await names('hidden'), []);
});

test('several branches in one push deploy side by side; where one is invalid none is taken', async () => {
  const clone = await server.project('many');
  await clone.commit(tinyApp({ answer: 'a' }));
  await clone.git('branch', 'a');
  await clone.commit(tinyApp({ answer: 'b' }));
  await clone.git('branch', 'b');
  const both = await clone.push(['a', 'b']);
  assert.equal(both.code, 0, both.output);
  const answers = await Promise.all(['a', 'b'].map(async (name) => (await server.request(`${name}.many.localhost`)).body));
  assert.deepEqual(answers, ['a', 'b']);
  await clone.git('switch', '--quiet', 'a');
  await clone.commit(tinyApp({ answer: 'a2' }));
  await clone.git('switch', '--quiet', 'b');
  await clone.commit({ 'coppice.yaml': 'applications: { web: { type: nodjs:24, start: node server.mjs } }\n' });
  const refs = await clone.git('ls-remote', 'origin');
  const refused = await clone.push(['a', 'b']);
  assert.equal(refused.code, 1);
  assert.match(refused.output, /coppice\.yaml:1:\d+ .*nodjs.*did you mean "nodejs"/);
  assert.equal(await clone.git('ls-remote', 'origin'), refs);
  assert.equal((await server.request('a.many.localhost')).body, 'a');
});

test('a force push deploys what it says, a plain one that is not ahead is refused by git', async () => {
  const clone = await server.project('force');
  const first = await clone.deploy(tinyApp({ answer: 'first' }));
  await clone.deploy(tinyApp({ answer: 'second' }));
  await clone.git('reset', '--quiet', '--hard', first.commit);
  await clone.commit(tinyApp({ answer: 'other' }));
  assert.equal((await clone.push('main')).code, 1);
  assert.equal((await server.request('main.force.localhost')).body, 'second');
  const forced = await clone.push('main', { force: true });
  assert.equal(forced.code, 0, forced.output);
  assert.equal((await server.request('main.force.localhost')).body, 'other');
  assert.match(await clone.git('ls-remote', 'origin', 'refs/heads/main'), new RegExp(await clone.git('rev-parse', 'HEAD')));
});

test('tags are stored without deploying, other refs are refused', async () => {
  const clone = await server.project('tags');
  await clone.deploy(tinyApp());
  const before = await server.dockerState();
  await clone.git('tag', 'v1');
  await clone.git('tag', '--annotate', '--message', 'two', 'v2');
  const tags = await clone.push(['v1', 'v2']);
  assert.equal(tags.code, 0, tags.output);
  assert.deepEqual(await remoteRefs(clone), ['refs/heads/main', 'refs/tags/v1', 'refs/tags/v2', 'refs/tags/v2^{}']);
  for (const ref of ['refs/custom/x', 'refs/notes/coppice', 'refs/notes/own']) {
    const other = await clone.push(`HEAD:${ref}`, { force: true });
    assert.equal(other.code, 1, `${ref}: ${other.output}`);
    assert.match(other.output, /refs\/heads\/|refs\/tags\//);
  }
  assert.deepEqual(await names('tags'), ['main']);
  assert.deepEqual(await server.dockerState(), before);
});

test('a push that is up to date, an empty commit and a clone of the project work', async () => {
  const clone = await server.project('plain');
  const { commit } = await clone.deploy(tinyApp());
  const before = await server.dockerState();
  const again = await clone.push('main');
  assert.deepEqual([again.code, /up-to-date/.test(again.output)], [0, true]);
  const empty = await clone.deploy({});
  assert.notEqual(empty.commit, commit);
  assert.deepEqual(await server.dockerState(), before);
  const second = await server.clone('plain');
  assert.equal(await second.git('rev-parse', 'HEAD'), empty.commit);
  await clone.deploy(tinyApp({ answer: 'two' }));
  await second.git('pull', '--quiet', '--ff-only');
  assert.match(await second.read('server.mjs'), /"two"/);
  await second.git('fetch', '--quiet', 'origin', 'refs/notes/coppice:refs/notes/coppice');
  const note = await second.git('notes', '--ref=coppice', 'show', 'HEAD');
  const { deployment, release } = JSON.parse(note) as { readonly deployment: string; readonly release: string };
  const environment = await server.read<EnvironmentView>('env', 'show', '--project', 'plain');
  assert.deepEqual([deployment, release], [environment.deployment, environment.release?.digest]);
  assert.match(note, /"v":1/);
});
