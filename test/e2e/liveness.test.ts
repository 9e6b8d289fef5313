import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ActivityView, EnvironmentDetail, NodeView } from '@coppice/control';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { TestServer, until } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

async function web(project: string): Promise<NodeView> {
  const { nodes } = await server.read<EnvironmentDetail>('env', 'show', '--project', project);
  const node = nodes.find(({ name }) => name === 'web');
  assert.ok(node);
  return node;
}

const checked = `${tinyYaml}    healthcheck: { path: /health, interval: 1s, timeout: 1s }\n`;

test('an instance that answers no more is taken out of routing and replaced after three failures', async () => {
  const clone = await server.project('hanging');
  const paths = { '/health': 'if (!globalThis.hangs) response.end();', '/hang': 'globalThis.hangs = true; response.end();' };
  await clone.deploy(tinyApp({ yaml: checked, paths }));
  const before = (await web('hanging')).instances.map(({ id }) => id);
  await server.request('main.hanging.localhost', '/hang');
  const hungMs = performance.now();
  await until(
    async () => {
      const { instances } = await web('hanging');
      return instances.length === 1 && instances[0]?.status === 'ready' && !before.includes(instances[0].id);
    },
    { what: 'it is replaced' },
  );
  assert.ok(performance.now() - hungMs < 15_000, `after ${Math.round(performance.now() - hungMs)} ms`);
  assert.equal((await server.request('main.hanging.localhost')).body, 'one');
  const [repair] = (await server.read<ActivityView[]>('activity', 'list', '--project', 'hanging')).filter(({ kind }) => kind === 'repair');
  const log = await server.cli('activity', 'log', repair?.id ?? '');
  assert.match(log.stdout, /web: an instance does not answer any more/);
});

test('what crashes again and again waits longer each time, says so, and holds up no other', async () => {
  const clone = await server.project('crashing');
  await clone.deploy(tinyApp({ after: 'setTimeout(() => process.exit(9), 1_000);' }));
  const other = await server.project('calm');
  await other.deploy(tinyApp());
  const crashes = await until(
    async () => {
      const node = await web('crashing');
      return node.crashes !== null && node.crashes.count >= 4 && node.crashes.startsInMs > 0 && node.crashes;
    },
    { what: 'it crashed four times and waits', withinMs: 60_000, everyMs: 100 },
  );
  assert.equal(crashes.last, 'exit code 9');
  assert.match((await server.cli('env', 'show', '--project', 'crashing')).stdout, /\d+ \(exit code 9\), starts in \d+ s/);
  await other.deploy(tinyApp({ answer: 'two' }));
  assert.equal((await server.request('main.calm.localhost')).body, 'two');
  await clone.deploy(tinyApp({ answer: 'mended' }));
  assert.equal((await server.request('main.crashing.localhost')).body, 'mended');
});
