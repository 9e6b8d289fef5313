import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EnvironmentDetail } from '@coppice/control';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { TestServer, until } from './harness.ts';

/** A web application that keeps lines in a mount, and shows files. */
const files = {
  '/read': 'response.end((await import("node:fs")).readFileSync(new URL(request.url, "http://app").searchParams.get("file")));',
  '/append':
    'const { searchParams: p } = new URL(request.url, "http://app"); (await import("node:fs")).appendFileSync(p.get("file"), p.get("line") + "\\n"); response.end("ok");',
};

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

async function read(project: string, file: string): Promise<string> {
  const { status, body } = await server.request(`main.${project}.localhost`, `/read?file=${file}`);
  return status === 200 ? body : `${status}: ${body}`;
}

async function append(project: string, file: string, line: string): Promise<string> {
  const { status, body } = await server.request(`main.${project}.localhost`, `/append?file=${file}&line=${line}`);
  return status === 200 ? body : `${status}: ${body}`;
}

/** Runs a shell script in the running web container. */
async function inside(project: string, script: string): Promise<{ readonly code: number; readonly said: string }> {
  const { code, stdout, stderr } = await server.cliWith(
    { variables: { COPPICE_PROJECT: project } },
    'exec',
    'web',
    '--',
    'sh',
    '-c',
    script,
  );
  return { code, said: `${stdout}${stderr}`.trim() };
}

test('a deploy hook runs once per deployment, before the release serves, and its failure refuses the push', async () => {
  const clone = await server.project('hooks');
  const yaml = (deploy: string): string =>
    `${tinyYaml}    instances: 2\n    mounts: { kept: storage }\n    hooks:\n      deploy: ${deploy}\n      post_deploy: echo after >> kept/log\n`;
  await clone.deploy(tinyApp({ yaml: yaml('echo "deploy $PLATFORM_ENVIRONMENT" >> kept/log'), paths: files }));
  await until(async () => (await read('hooks', 'kept/log')) === 'deploy main\nafter\n', { what: 'both hooks ran once' });
  await clone.deploy(tinyApp({ answer: 'two', yaml: yaml('echo again >> kept/log'), paths: files }));
  await until(async () => (await read('hooks', 'kept/log')) === 'deploy main\nafter\nagain\nafter\n', { what: 'both ran again' });
  const before = await server.dockerState();
  await clone.commit(tinyApp({ answer: 'three', yaml: yaml('echo "migration 17 is broken"; exit 4'), paths: files }));
  const refused = await clone.push('main');
  assert.equal(refused.code, 1);
  assert.match(refused.output, /migration 17 is broken/);
  assert.match(refused.output, /exit code 4/);
  assert.match(refused.output, /deploy/);
  assert.deepEqual(await server.dockerState(), before);
  assert.equal((await server.request('main.hooks.localhost')).body, 'two');
  await clone.git('reset', '--quiet', '--hard', 'HEAD^');
  await clone.deploy({ 'README.md': 'nothing that runs\n' });
  assert.equal(await read('hooks', 'kept/log'), 'deploy main\nafter\nagain\nafter\n');
});

test('a post_deploy hook that fails is told, and the release serves', async () => {
  const clone = await server.project('warming');
  await clone.deploy(tinyApp());
  const yaml = `${tinyYaml}    hooks: { post_deploy: "echo nothing to warm; exit 6" }\n`;
  const { output } = await clone.deploy(tinyApp({ answer: 'two', yaml }));
  assert.match(output, /nothing to warm/);
  assert.match(output, /post_deploy hook of web ended with exit code 6/);
  assert.equal((await server.request('main.warming.localhost')).body, 'two');
  const plan = await server.cli('plan', '--project', 'warming');
  assert.equal(plan.code, 0, plan.stdout);
});

test('a worker runs the same code beside the application and shares its storage', async () => {
  const clone = await server.project('workers');
  const yaml = `${tinyYaml}    mounts: { kept: storage }\n    workers:\n      queue: { commands: { start: node worker.mjs } }\n`;
  const worker =
    "import { appendFileSync } from 'node:fs';\nappendFileSync('kept/log', 'worker\\n');\nsetInterval(() => undefined, 1000);\n";
  await clone.deploy({ ...tinyApp({ yaml, paths: files }), 'worker.mjs': worker });
  const { nodes } = await server.read<EnvironmentDetail>('env', 'show', '--project', 'workers');
  assert.deepEqual(nodes.map(({ kind, instances }) => [kind, instances.map(({ status }) => status)]).sort(), [
    ['application', ['ready']],
    ['worker', ['ready']],
  ]);
  assert.equal(await read('workers', 'kept/log'), 'worker\n');
  await clone.commit({ 'worker.mjs': 'process.exit(5);\n' });
  const refused = await clone.push('main');
  assert.equal(refused.code, 1);
  assert.match(refused.output, /exit code 5/);
});

test('storage is kept over releases, what is temporary is not, and nothing else can be written', async () => {
  const clone = await server.project('mounts');
  const yaml = `${tinyYaml}    mounts: { uploads: storage, "data/own": instance, scratch: tmp }\n`;
  await clone.deploy(tinyApp({ yaml, paths: files }));
  const places = ['uploads/a', 'data/own/a', 'scratch/a', '/tmp/a'];
  for (const place of places) assert.equal(await append('mounts', place, 'written'), 'ok', place);
  for (const place of ['a', '/app/a', '/etc/a', '/usr/a', '/home/a', '/var/a'])
    assert.match(await append('mounts', place, 'written'), /^500: .*(EROFS|EACCES|ENOENT)/, place);
  await clone.deploy(tinyApp({ answer: 'two', yaml, paths: files }));
  const after = await Promise.all(places.map((place) => read('mounts', place)));
  assert.deepEqual(after.slice(0, 2), ['written\n', 'written\n']);
  for (const text of after.slice(2)) assert.match(text, /ENOENT/);
});

test('processes run as an unprivileged user, without capabilities or ways to get more, on a read-only root', async () => {
  const clone = await server.project('locked');
  await clone.deploy(tinyApp({ yaml: `${tinyYaml}    relationships: [cache, db]\nservices:\n  cache: redis:7\n  db: postgresql:15\n` }));
  const status = await inside('locked', 'cat /proc/1/status');
  assert.match(status.said, /^NoNewPrivs:\s+1$/m);
  assert.match(status.said, /^CapEff:\s+0+$/m);
  assert.match(status.said, /^CapBnd:\s+0+$/m);
  assert.doesNotMatch(status.said, /^Uid:\s+0\b/m);
  assert.match((await inside('locked', 'echo x > /app/x')).said, /Read-only file system/);
  assert.match((await inside('locked', 'ls /var/run/docker.sock /run/docker.sock')).said, /No such file/);
  const containers = (await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === 'locked');
  assert.equal(containers.length, 3);
  for (const { Config, HostConfig } of containers) {
    const { ReadonlyRootfs, CapDrop, SecurityOpt } = HostConfig;
    assert.deepEqual(
      { ReadonlyRootfs, CapDrop, SecurityOpt },
      { ReadonlyRootfs: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] },
    );
    assert.ok(Config.Labels['coppice.server'] === server.serverId);
  }
});

test('a push that removes a node with data is refused and names the node', async () => {
  const clone = await server.project('data');
  const yaml = (services: string, relationships: string): string =>
    `${tinyYaml}    relationships: [${relationships}]\nservices:\n${services}`;
  await clone.deploy(tinyApp({ yaml: yaml('  cache: redis:7\n  store: redis:7\n', 'cache, store') }));
  const before = await server.dockerState();
  for (const services of ['  cache: redis:7\n', '  cache: redis:7\n  store: postgresql:15\n']) {
    await clone.commit(tinyApp({ yaml: yaml(services, services.includes('store') ? 'cache, store' : 'cache') }));
    const push = await clone.push('main');
    assert.equal(push.code, 1, push.output);
    assert.match(push.output, /store/);
    await clone.git('reset', '--quiet', '--hard', 'HEAD^');
  }
  assert.deepEqual(await server.dockerState(), before);
});
