import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type NotedStore, notedApp } from '../faults/noted-app.ts';
import { SteadyLoad } from '../faults/steady-load.ts';
import { openStream } from './harness/open-stream.ts';
import { TestServer, until } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

/** Deploys a few times under load; every request is answered, and every POST was executed exactly once. */
async function deployUnderLoad(project: string, store: NotedStore, rounds: number): Promise<string> {
  const clone = await server.project(project);
  await clone.deploy(notedApp(store, 'v0'));
  const host = `main.${project}.localhost`;
  const load = new SteadyLoad({ address: server.routerAddress, host, perSecond: 100 });
  load.start();
  let output = '';
  try {
    for (let round = 1; round <= rounds; round += 1) {
      ({ output } = await clone.deploy(notedApp(store, store === 'redis' ? 'v0' : `v${round}`, 100 + round)));
    }
  } finally {
    const { lost, posted } = await load.stop();
    assert.deepEqual(lost, []);
    await assertNotedOnce(host, posted);
  }
  return output;
}

async function assertNotedOnce(host: string, posted: readonly string[]): Promise<void> {
  const noted = (await server.request(host, '/noted')).body.split('\n').filter((line) => line !== '');
  assert.ok(posted.length > 10, `only ${posted.length} posts`);
  assert.deepEqual([...noted].sort(), [...posted].sort());
}

test('no request is lost or executed twice while instances overlap', async () => {
  assert.match(await deployUnderLoad('overlap', 'shared file', 3), /\[overlap\]/);
});

test('no request is lost or executed twice while an application with an exclusive volume is switched', async () => {
  assert.match(await deployUnderLoad('exclusive', 'exclusive file', 3), /\[hold and switch\]/);
});

test('no request is lost or executed twice while a service below the application is switched', async () => {
  assert.match(await deployUnderLoad('below', 'redis', 3), /replace store.*\[hold and switch\]/);
});

test('a stream stays on the old instance while new requests go to the new one, and ends with the old one', async () => {
  const clone = await server.project('streaming');
  await clone.deploy(notedApp('shared file', 'old'));
  const host = 'main.streaming.localhost';
  const containers = async (): Promise<number> =>
    (await server.containers()).filter(({ Config }) => Config.Labels['coppice.project'] === 'streaming').length;
  const stream = await openStream(server.routerAddress, host);
  const push = clone.deploy(notedApp('shared file', 'new'));
  await until(async () => (await server.request(host)).body === 'new', { what: 'the new version answers' });
  const seen = stream.text().length;
  await until(() => stream.text().length > seen, { what: 'the old stream goes on' });
  assert.ok(!stream.text().includes('new'));
  const { output } = await push;
  assert.match(output, /streams are open on the old web: it stays for them/);
  const counted = stream.text().length;
  await until(() => stream.text().length > counted, { what: 'it goes on after the push was answered' });
  assert.equal(await containers(), 2);
  // The next deployments are not held up; of many that linger the oldest goes first, and its stream ends as HTTP says.
  await clone.deploy(notedApp('shared file', 'newer'));
  const others = [await openStream(server.routerAddress, host)];
  await clone.deploy(notedApp('shared file', 'newest'));
  others.push(await openStream(server.routerAddress, host));
  await clone.deploy(notedApp('shared file', 'last'));
  assert.equal(await stream.ended, 'end');
  for (const { close } of others) close();
  await until(async () => (await containers()) === 1, { what: 'old instances go once their streams have ended' });
});
