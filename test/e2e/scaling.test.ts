import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EnvironmentDetail } from '@coppice/control';
import { LoadLoop } from './harness/load-loop.ts';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { TestServer, until } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

async function instances(project: string): Promise<readonly string[]> {
  const { nodes } = await server.read<EnvironmentDetail>('env', 'show', '--project', project);
  assert.ok(nodes.every((node) => node.instances.every(({ status }) => status === 'ready')));
  return nodes.flatMap((node) => node.instances.map(({ id }) => id)).sort();
}

/** Limits of the containers of a project as the engine applies them. */
async function limits(project: string): Promise<readonly { readonly memoryMb: number; readonly cpu: number }[]> {
  const containers = (await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === project);
  return containers.map(({ HostConfig }) => ({ memoryMb: HostConfig.Memory / 2 ** 20, cpu: HostConfig.CpuQuota / 100_000 }));
}

test('memory and CPU change in place, in the same container', async () => {
  const clone = await server.project('resize');
  const sized = (memory: string, cpu: number): string => `${tinyYaml}    resources: { memory: ${memory}, cpu: ${cpu} }\n`;
  await clone.deploy(tinyApp({ yaml: sized('128M', 0.5) }));
  const before = await server.dockerState();
  assert.deepEqual(await limits('resize'), [{ memoryMb: 128, cpu: 0.5 }]);
  const { output } = await clone.deploy(tinyApp({ yaml: sized('192M', 0.75) }));
  assert.match(output, /web: .*memory/);
  assert.deepEqual(await limits('resize'), [{ memoryMb: 192, cpu: 0.75 }]);
  assert.deepEqual(await server.dockerState(), before);
  await clone.deploy(tinyApp({ yaml: sized('96M', 0.25) }));
  assert.deepEqual([await limits('resize'), await server.dockerState()], [[{ memoryMb: 96, cpu: 0.25 }], before]);
});

test('instances are added and taken away around those that stay, all behind one host, without a lost request', async () => {
  const clone = await server.project('many');
  const paths = { '/who': 'response.end((await import("node:os")).hostname());' };
  const several = (count: number): string => `${tinyYaml}    instances: ${count}\n`;
  await clone.deploy(tinyApp({ yaml: several(1), paths }));
  const [first] = await instances('many');
  const host = 'main.many.localhost';
  const load = LoadLoop.start(server, host, '/who');
  await clone.deploy(tinyApp({ yaml: several(3), paths }));
  const three = await instances('many');
  assert.equal(three.length, 3);
  assert.ok(three.includes(first ?? ''));
  const seen = new Set<string>();
  await until(
    async () => {
      seen.add((await server.request(host, '/who')).body);
      return seen.size === 3;
    },
    { what: 'all three instances answer', everyMs: 5 },
  );
  assert.deepEqual([...seen].sort(), three.map((id) => id.slice(0, 12)).sort());
  await clone.deploy(tinyApp({ yaml: several(1), paths }));
  const left = await instances('many');
  const report = await load.stop();
  assert.deepEqual([left, report.failures, report.bodies.length], [[first], [], 3]);
});

test('a new version takes over under load without a lost request, and requests that began are answered by the old one', async () => {
  const clone = await server.project('switch');
  const slowPath = { '/slow': 'setTimeout(() => response.end("slow from " + process.env.COPPICE_COMMIT), 2500);' };
  const first = await clone.deploy(tinyApp({ paths: slowPath, yaml: `${tinyYaml}    instances: 2\n` }));
  const host = 'main.switch.localhost';
  const load = LoadLoop.start(server, host);
  const versions = ['two', 'three'];
  for (const answer of versions) {
    const slow = answer === 'two' ? server.request(host, '/slow') : undefined;
    await clone.deploy(tinyApp({ answer, paths: slowPath, yaml: `${tinyYaml}    instances: 2\n` }));
    assert.equal((await server.request(host)).body, answer);
    if (slow) assert.equal((await slow).body, `slow from ${first.commit}`);
  }
  const report = await load.stop();
  assert.deepEqual([report.failures, report.bodies], [[], ['one', ...versions]]);
  assert.ok(report.requests > 50, `${report.requests} requests`);
});

test('sizes and instances can differ by branch, and do not make another release', async () => {
  const clone = await server.project('overlay');
  const yaml = `${tinyYaml}environments:\n  - match: main\n    instances: { web: 2 }\n    resources: { web: { memory: 100M } }\n`;
  await clone.deploy(tinyApp({ yaml }));
  assert.equal((await clone.push('HEAD:refs/heads/other')).code, 0);
  const [main, other] = await Promise.all(
    ['main', 'other'].map((name) => server.read<EnvironmentDetail>('env', 'show', name, '--project', 'overlay')),
  );
  assert.deepEqual([main?.nodes[0]?.instances.length, other?.nodes[0]?.instances.length], [2, 1]);
  assert.equal(main?.release?.digest, other?.release?.digest);
  assert.deepEqual(
    (await limits('overlay')).map(({ memoryMb }) => memoryMb).sort((a, b) => a - b),
    [100, 100, 256],
  );
});
