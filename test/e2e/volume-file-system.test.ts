import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DoctorCheck } from '@coppice/control';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { mountsBelow, tracesOf } from './harness/traces.ts';
import { TestServer, until } from './harness.ts';

const paths = {
  '/append': 'const fs = await import("node:fs"); fs.appendFileSync("kept/log", "x"); response.end(fs.readFileSync("kept/log"));',
};
const files = tinyApp({ yaml: `${tinyYaml}    mounts: { kept: storage }\n`, paths });
const host = 'main.shop.localhost';

async function driverCheck(server: TestServer): Promise<DoctorCheck | undefined> {
  return (await server.read<readonly DoctorCheck[]>('doctor')).find(({ check }) => check === 'volume driver');
}

let imaged: TestServer;
let plain: TestServer;
before(async () => {
  imaged = await TestServer.start();
  await (await imaged.project('shop')).deploy(files);
  plain = await TestServer.start({
    prepare: async (folder) => {
      const foreign = join(folder, 'data', 'volumes', 'e_of_another_server');
      mkdirSync(foreign, { recursive: true });
      writeFileSync(join(foreign, 'file'), 'kept');
    },
  });
  await (await plain.project('shop')).deploy(files);
});
after(async () => {
  await imaged.stop();
  await plain.stop();
});

test('volumes lie in an image that can snapshot, which start and doctor tell, and outlive a server that is killed', async () => {
  const volumes = join(imaged.data, 'volumes');
  const check = await driverCheck(imaged);
  assert.match(check?.detail ?? '', /^btrfs in the image \S+\/volumes\.btrfs: .*; quota enforced$/);
  assert.deepEqual([check?.ok, check?.fix, imaged.log.includes(`volumes: ${check?.detail}`)], [true, '', true]);
  assert.equal((await imaged.request(host, '/append')).body, 'x');
  await imaged.kill();
  assert.deepEqual(mountsBelow(volumes), [volumes]);
  assert.equal((await imaged.request(host, '/append')).body, 'xx');
  await imaged.launch();
  assert.deepEqual(mountsBelow(volumes), [volumes]);
  assert.equal((await imaged.request(host, '/append')).body, 'xxx');
});

test('server down takes the mount and the loop device away, and the data is there when the server starts again', async () => {
  const down = await imaged.cli('server', 'down', '--data', imaged.data);
  assert.equal(down.code, 0, down.stderr);
  assert.deepEqual(await tracesOf(imaged), []);
  await imaged.launch();
  await until(async () => (await imaged.request(host, '/append')).body === 'xxxx', { what: 'it serves again', withinMs: 60_000 });
});

test('a data directory that has volumes in plain folders goes on with them, and start and doctor tell the way out', async () => {
  assert.equal((await plain.request(host, '/append')).body, 'x');
  const check = await driverCheck(plain);
  assert.match(check?.detail ?? '', /^copy in plain folders in \S+\/volumes: .*; quota not enforced; the directory holds something/);
  assert.match(check?.fix ?? '', /^to have snapshots: coppice server move-volumes /);
  assert.equal(check?.ok, true);
  assert.match(plain.log, /\n {2}the directory holds something/);
  assert.deepEqual(mountsBelow(join(plain.data, 'volumes')), []);
});

test('volumes in plain folders are moved into an image, and what served with them serves again', async () => {
  const moved = await plain.cli('server', 'move-volumes', '--data', plain.data);
  assert.equal(moved.code, 0, moved.stderr);
  assert.deepEqual(await tracesOf(plain), []);
  await plain.launch();
  await until(async () => (await plain.request(host, '/append')).body === 'xx', { what: 'it serves again', withinMs: 60_000 });
  assert.match((await driverCheck(plain))?.detail ?? '', /^btrfs in the image .*; quota enforced$/);
  const foreign = ['volumes', 'volumes.plain'].map((folder) => join(plain.data, folder, 'e_of_another_server', 'file'));
  assert.deepEqual(
    foreign.map((path) => readFileSync(path, 'utf8')),
    ['kept', 'kept'],
  );
});
