import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from './harness/free-port.ts';
import { coppice } from './harness/server-process.ts';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { tracesOf } from './harness/traces.ts';
import { runProgram, TestServer, until } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

test('a data directory in a folder that keeps others out works, and the mode of that folder stays', async () => {
  const parent = dirname(server.data);
  assert.equal(statSync(parent).mode & 0o777, 0o700);
  const clone = await server.project('hidden');
  await clone.deploy(tinyApp());
  assert.equal((await server.request('main.hidden.localhost')).body, 'one');
  await server.kill();
  await server.launch();
  await clone.deploy(tinyApp({ answer: 'two' }));
  assert.equal((await server.request('main.hidden.localhost')).body, 'two');
  assert.equal(statSync(parent).mode & 0o777, 0o700);
});

test('what server down stopped comes back with its data when the server starts again', async () => {
  const clone = await server.project('resting');
  const paths = {
    '/append': 'const fs = await import("node:fs"); fs.appendFileSync("kept/log", "x"); response.end(fs.readFileSync("kept/log"));',
  };
  const yaml = `${tinyYaml}    mounts: { kept: storage }\n    relationships: [cache]\nservices:\n  cache: redis:7\n`;
  await clone.deploy(tinyApp({ yaml, paths }));
  const host = 'main.resting.localhost';
  assert.equal((await server.request(host, '/append')).body, 'x');
  const down = await server.cli('server', 'down', '--data', server.data);
  assert.equal(down.code, 0, down.stderr);
  assert.deepEqual(await tracesOf(server), []);
  await server.launch();
  await until(async () => (await server.request(host, '/append')).body === 'xx', { what: 'it serves again', withinMs: 60_000 });
  await clone.deploy(tinyApp({ answer: 'two', yaml, paths }));
  assert.equal((await server.request(host)).body, 'two');
});

test('a router that is killed is started again with all its routes', async () => {
  const clone = await server.project('routed');
  await clone.deploy(tinyApp());
  const routers = (await tracesOf(server)).filter((line) => line.includes('haproxy.cfg')).map((line) => Number(line.split(' ')[1]));
  assert.ok(routers.length >= 2, String(routers));
  for (const pid of routers) process.kill(pid, 'SIGKILL');
  await until(
    async () => {
      const answer = await server.request('main.routed.localhost').catch(() => undefined);
      return answer?.body === 'one';
    },
    { what: 'the router serves again', withinMs: 12_000, everyMs: 100 },
  );
});

test('a second server on the same data directory is refused', async () => {
  const args = ['server', '--data', server.data, '--listen', '127.0.0.1:0', '--router', `127.0.0.1:${await freePort()}`];
  const second = await runProgram(coppice, args, { timeoutMs: 20_000 });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another server/);
});

test('a server whose router cannot listen ends with exit code 1 and says why', async () => {
  const folder = mkdtempSync(`/var/tmp/coppice-test-${process.pid}-`);
  chmodSync(folder, 0o711);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const data = join(folder, 'data');
  const args = ['server', '--data', data, '--listen', '127.0.0.1:0', '--router', `127.0.0.1:${port}`];
  const result = await runProgram(coppice, args, { timeoutMs: 60_000 });
  taken.close();
  await runProgram(coppice, ['server', 'down', '--data', data]);
  rmSync(folder, { recursive: true });
  assert.deepEqual([result.code, result.stdout], [1, '']);
  assert.match(result.stderr, new RegExp(`${port}`));
});
