import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DeploymentView, EnvironmentDetail, EnvironmentView } from '@coppice/control';
import { LoadLoop } from './harness/load-loop.ts';
import { tinyApp } from './harness/tiny-app.ts';
import { type Clone, TestServer, until } from './harness.ts';

const yaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    relationships: [cache]
services:
  cache: redis:7
`;
const slow = 'await new Promise((resolve) => setTimeout(resolve, 4000));';
const host = 'main.shop.localhost';

let server: TestServer;
let clone: Clone;
before(async () => {
  server = await TestServer.start();
  clone = await server.project('shop');
  await clone.deploy(tinyApp({ yaml }));
});
after(async () => {
  await server.stop();
});

async function show(): Promise<EnvironmentDetail> {
  return await server.read<EnvironmentDetail>('env', 'show', '--project', 'shop');
}

async function settled(): Promise<EnvironmentDetail> {
  return await until(
    async () => {
      const detail = await show();
      const count = detail.nodes.flatMap(({ instances }) => instances).length;
      return detail.status === 'active' && count === detail.nodes.length ? detail : undefined;
    },
    { what: 'the environment is as desired', withinMs: 60_000, everyMs: 200 },
  );
}

/** What serves, what the branch is at and what is reported agree. */
async function agree(): Promise<string> {
  const { release } = await settled();
  const tip = (await clone.git('ls-remote', 'origin', 'refs/heads/main')).split('\t')[0] ?? '';
  assert.equal(release?.commit, tip);
  const { body } = await server.request(host);
  assert.equal(await clone.git('show', `${tip}:server.mjs`).then((text) => /response\.end\("(\w+)"\)/.exec(text)?.[1]), body);
  return body;
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`applications and the router go on while the server is gone after ${signal}, and a new one touches nothing`, async () => {
    const before = await server.dockerState();
    const load = LoadLoop.start(server, host);
    await (signal === 'SIGKILL' ? server.kill() : server.terminate());
    const gone = await server.cli('env', 'list', '--project', 'shop');
    assert.equal(gone.code, 5);
    const during = load.requests;
    await until(() => load.requests > during + 20, { what: 'requests are answered without the server' });
    await server.launch();
    await settled();
    const report = await load.stop();
    assert.deepEqual([report.failures, report.bodies], [[], ['one']]);
    assert.deepEqual(await server.dockerState(), before);
    const plan = await server.cli('plan', '--project', 'shop');
    assert.deepEqual([plan.code, plan.stdout], [0, 'nothing to change\n']);
  });
}

test('a server killed in the middle of a deployment comes back to what the branch says, and the push works again', async () => {
  await clone.commit(tinyApp({ answer: 'two', yaml, before: slow }));
  const load = LoadLoop.start(server, host);
  const containers = (await server.containers()).length;
  const push = clone.push('main');
  await until(async () => (await server.containers()).length > containers, { what: 'the new instance starts' });
  await server.kill();
  assert.notEqual((await push).code, 0);
  await server.launch();
  assert.equal(await agree(), 'one');
  assert.equal((await server.containers()).length, containers);
  const again = await clone.push('main');
  assert.equal(again.code, 0, again.output);
  assert.equal(await agree(), 'two');
  const report = await load.stop();
  assert.deepEqual([report.failures, report.bodies], [[], ['one', 'two']]);
  const statuses = (await server.read<DeploymentView[]>('deployments', '--project', 'shop')).map(({ status }) => status);
  assert.deepEqual(statuses, ['succeeded', 'failed', 'succeeded']);
});

/** Whether the server did a step of this kind since its log was so long. */
function didStep(kind: string, offset: number): boolean {
  return new RegExp(`"step":"${kind}\\b`).test(server.log.slice(offset));
}

test('killed at any moment of a push, what serves and what the branch says agree', async () => {
  const images = (await server.builtImages()).length;
  let offset = 0;
  const moments: Readonly<Record<string, () => Promise<boolean> | boolean>> = {
    built: async () => (await server.builtImages()).length > images,
    pulled: () => didStep('pull-image', offset),
    started: () => didStep('start', offset),
    ready: () => didStep('await-ready', offset),
    routed: () => didStep('switch-routes', offset),
    stopped: () => didStep('stop', offset),
  };
  for (const [answer, reached] of Object.entries(moments)) {
    await clone.commit(tinyApp({ answer, yaml }));
    offset = server.log.length;
    const push = clone.push('main');
    await until(reached, { what: answer, everyMs: 1 });
    await server.kill();
    const { code } = await push;
    await server.launch();
    const body = await agree();
    if (code === 0) assert.equal(body, answer);
    const again = await clone.push('main');
    assert.equal(again.code, 0, `${answer}: ${again.output}`);
    assert.equal(await agree(), answer);
  }
});

test('a server killed while it creates and deletes environments leaves none half done', async () => {
  await clone.commit(tinyApp({ answer: 'made', yaml, before: slow }));
  const containers = (await server.containers()).length;
  const push = clone.push('HEAD:refs/heads/made');
  await until(async () => (await server.containers()).length > containers, { what: 'the first instance starts' });
  await server.kill();
  await push;
  await server.launch();
  const names = async (): Promise<readonly string[]> =>
    (await server.read<EnvironmentView[]>('env', 'list', '--project', 'shop')).map(({ name }) => name).sort();
  await until(async () => (await names()).length === 1 && (await server.containers()).length === containers, {
    what: 'nothing is left of the environment',
    withinMs: 60_000,
  });
  const again = await clone.push('HEAD:refs/heads/made');
  assert.equal(again.code, 0, again.output);
  assert.deepEqual(await names(), ['made', 'main']);
  const deletion = clone.tryGit('push', 'origin', '--delete', 'made');
  await until(async () => (await server.containers()).length < containers * 2, { what: 'the deletion begins', everyMs: 5 });
  await server.kill();
  await deletion;
  await server.launch();
  await until(async () => (await names()).length === 1 && (await server.containers()).length === containers, {
    what: 'the deletion is finished',
    withinMs: 60_000,
  });
  await until(async () => (await clone.git('ls-remote', 'origin', 'refs/heads/made')) === '', { what: 'the branch is gone' });
});
