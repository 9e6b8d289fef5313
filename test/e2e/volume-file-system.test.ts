import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DoctorCheck } from '@coppice/control';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { mountsBelow, tracesOf } from './harness/traces.ts';
import { type ServerSettings, TestServer, until } from './harness.ts';

const paths = {
  '/append': 'const fs = await import("node:fs"); fs.appendFileSync("kept/log", "x"); response.end(fs.readFileSync("kept/log"));',
};
const files = tinyApp({ yaml: `${tinyYaml}    mounts: { kept: storage }\n`, paths });
const host = 'main.shop.localhost';

async function withServer(settings: ServerSettings, work: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await TestServer.start(settings);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

async function driverCheck(server: TestServer): Promise<DoctorCheck | undefined> {
  return (await server.read<readonly DoctorCheck[]>('doctor')).find(({ check }) => check === 'volume driver');
}

test('volumes lie in an image that can snapshot, outlive a server that is killed, and come back after server down', async () => {
  await withServer({}, async (server) => {
    const volumes = join(server.data, 'volumes');
    const clone = await server.project('shop');
    await clone.deploy(files);
    assert.equal((await server.request(host, '/append')).body, 'x');
    const check = await driverCheck(server);
    assert.match(check?.detail ?? '', /^btrfs in the image \S+\/volumes\.btrfs: .*; quota enforced$/);
    assert.deepEqual([check?.ok, check?.fix, server.log.includes(`volumes: ${check?.detail}`)], [true, '', true]);

    await server.kill();
    assert.deepEqual(mountsBelow(volumes), [volumes]);
    assert.equal((await server.request(host, '/append')).body, 'xx');
    await server.launch();
    assert.deepEqual(mountsBelow(volumes), [volumes]);
    assert.equal((await server.request(host, '/append')).body, 'xxx');

    const down = await server.cli('server', 'down', '--data', server.data);
    assert.equal(down.code, 0, down.stderr);
    assert.deepEqual(await tracesOf(server), []);
    await server.launch();
    await until(async () => (await server.request(host, '/append')).body === 'xxxx', { what: 'it serves again', withinMs: 60_000 });
  });
});

test('a data directory that has volumes in plain folders goes on with them and says how to get snapshots', async () => {
  const prepare = async (folder: string): Promise<void> => {
    const old = join(folder, 'data', 'volumes', 'e_of_another_server');
    mkdirSync(old, { recursive: true });
    writeFileSync(join(old, 'file'), 'kept');
  };
  await withServer({ prepare }, async (server) => {
    await (await server.project('shop')).deploy(files);
    assert.equal((await server.request(host, '/append')).body, 'x');
    const check = await driverCheck(server);
    assert.match(check?.detail ?? '', /^copy in plain folders in \S+\/volumes: .*; quota not enforced; the directory holds something/);
    assert.match(check?.fix ?? '', /^to have snapshots: /);
    assert.equal(check?.ok, true);
    assert.match(server.log, /\n {2}the directory holds something/);
    assert.deepEqual(mountsBelow(join(server.data, 'volumes')), []);
  });
});
