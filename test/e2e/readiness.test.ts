import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DeploymentView, EnvironmentDetail } from '@coppice/control';
import { LoadLoop } from './harness/load-loop.ts';
import { type TinyApp, tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { type Clone, type PushResult, TestServer } from './harness.ts';

let server: TestServer;
/** Both wait for the whole minute that an application has to get ready: other tests run meanwhile. */
let neverReady: Promise<readonly [PushResult, PushResult]>;
before(async () => {
  server = await TestServer.start();
  neverReady = Promise.all([
    pushOver('ill', {
      yaml: `${tinyYaml}    healthcheck: { path: /health, timeout: 3s }\n`,
      paths: { '/health': 'response.writeHead(503).end()' },
    }),
    pushOver('deaf', { before: 'await new Promise((resolve) => setTimeout(resolve, 600_000));' }),
  ]);
});
after(async () => {
  await server.stop();
});

/** Pushes a release over one that serves. */
async function pushOver(project: string, files: TinyApp): Promise<PushResult> {
  const clone = await server.project(project);
  await clone.deploy(tinyApp());
  await clone.commit(tinyApp(files));
  return await clone.push('main');
}

/** One that asks each of its relationships before it listens, and gives up at once where one does not answer. */
const strict = `
for (const [name, value] of Object.entries(process.env)) {
  if (!name.endsWith('_HOST')) continue;
  const port = process.env[name.replace('_HOST', '_PORT')];
  const { connect } = await import('node:net');
  await new Promise((resolve, reject) => {
    const socket = connect(Number(port), value, () => { socket.destroy(); resolve(); });
    socket.on('error', (error) => { console.error('not there: ' + value, error.message); reject(error); });
  });
}
await new Promise((resolve) => setTimeout(resolve, 300));
`;

test('nodes start when what they depend on is ready, and the rest at once', async () => {
  const app = (name: string, needs: readonly string[]): string =>
    `  ${name}:\n    type: nodejs:24\n    start: node server.mjs\n    relationships: [${needs.join(', ')}]\n`;
  const graph: Readonly<Record<string, readonly string[]>> = { front: ['left', 'right'], left: ['base'], right: ['base'], base: ['cache'] };
  const yaml = `applications:\n${Object.entries(graph)
    .map(([name, needs]) => app(name, needs))
    .join('')}services:\n  cache: redis:7\nroutes:\n  "http://{default}/": { type: upstream, upstream: "front:http" }\n`;
  const clone = await server.project('graph');
  await clone.deploy(tinyApp({ yaml, before: strict }));
  assert.equal((await server.request('main.graph.localhost')).body, 'one');
  const starts = new Map<string, string>();
  for (const { Config, State } of await server.containers()) {
    if (Config.Labels['coppice.project'] === 'graph') starts.set(Config.Labels['coppice.node'] ?? '', State.StartedAt);
  }
  for (const [name, needs] of Object.entries(graph)) {
    for (const need of needs) assert.ok((starts.get(need) ?? '') < (starts.get(name) ?? ''), `${need} starts before ${name}`);
  }
});

async function stateOf(project: string): Promise<readonly unknown[]> {
  const containers = (await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === project);
  return containers.map(({ Id, State }) => ({ Id, ...State }));
}

/** Pushes a release that must be refused while requests go on; answers what git said. */
async function refused(clone: Clone, files: TinyApp): Promise<string> {
  const project = (await clone.git('remote', 'get-url', 'origin')).replace(/^.*\/([a-z-]+)\.git$/, '$1');
  const before = await stateOf(project);
  const refs = await clone.git('ls-remote', 'origin');
  const load = LoadLoop.start(server, `main.${project}.localhost`);
  await clone.commit(tinyApp(files));
  const push = await clone.push('main');
  const report = await load.stop();
  assert.equal(push.code, 1, push.output);
  assert.match(push.output, /! \[remote rejected\] main -> main \(.+\)/);
  assert.deepEqual([report.failures, report.bodies], [[], ['one']]);
  assert.deepEqual(await stateOf(project), before);
  assert.equal(await clone.git('ls-remote', 'origin'), refs);
  const [deployment] = await server.read<DeploymentView[]>('deployments', '--project', project);
  assert.equal(deployment?.status, 'failed');
  assert.notEqual(deployment?.reason, '');
  await clone.git('reset', '--quiet', '--hard', 'HEAD^');
  return push.output;
}

test('a release that ends is refused with its exit code and last words while the old one serves', async () => {
  const clone = await server.project('crash');
  await clone.deploy(tinyApp());
  const output = await refused(clone, { before: "console.error('no such table: users'); process.exit(3);" });
  assert.match(output, /web/);
  assert.match(output, /exit code 3/);
  assert.match(output, /no such table: users/);
});

test('a start command that ends with 0 at once is refused too', async () => {
  const clone = await server.project('done');
  await clone.deploy(tinyApp());
  const output = await refused(clone, { before: 'process.exit(0);' });
  assert.match(output, /exit code 0/);
});

test('a release that runs out of memory is refused with that reason', async () => {
  const clone = await server.project('hungry');
  await clone.deploy(tinyApp());
  const yaml = `${tinyYaml}    resources: { memory: 64M }\n`;
  const output = await refused(clone, { yaml, before: 'const hold = []; for (;;) hold.push(Buffer.alloc(8_000_000, 1));' });
  assert.match(output, /out of memory|memory/i);
});

test('a new environment whose first release fails is gone again', async () => {
  const clone = await server.project('stillborn');
  await clone.commit(tinyApp({ before: 'process.exit(9);' }));
  const push = await clone.push('main');
  assert.equal(push.code, 1);
  assert.match(push.output, /exit code 9/);
  assert.deepEqual(await server.read('env', 'list', '--project', 'stillborn'), []);
  assert.equal(await clone.git('ls-remote', 'origin'), '');
  assert.deepEqual(
    (await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === 'stillborn'),
    [],
  );
  await clone.commit(tinyApp({ answer: 'born' }));
  assert.equal((await clone.push('main')).code, 0);
  assert.equal((await server.request('main.stillborn.localhost')).body, 'born');
  const { status } = await server.read<EnvironmentDetail>('env', 'show', '--project', 'stillborn');
  assert.equal(status, 'active');
});

test('a release that never gets ready is refused with the probe and its answer, and the old one serves', async () => {
  const [ill, deaf] = await neverReady;
  assert.deepEqual([ill.code, deaf.code], [1, 1]);
  assert.match(ill.output, /\/health.*503|503.*\/health/s);
  assert.match(deaf.output, /not ready within 60 s|60 s/);
  for (const project of ['ill', 'deaf']) {
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'one');
    assert.equal((await stateOf(project)).length, 1);
  }
});
