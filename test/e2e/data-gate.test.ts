import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EnvironmentView, TrashView } from '@coppice/control';
import { keeper, readKept, writeKept } from './harness/keeper-app.ts';
import { TestServer } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

const read = async (host: string): Promise<string> => await readKept(server, host);
const write = async (host: string, text: string): Promise<void> => await writeKept(server, host, text);
const trash = async (project: string): Promise<readonly TrashView[]> =>
  await server.read<TrashView[]>('trash', 'list', '--project', project);

test('a node with data goes only where the push lets it, and finds its data when it is named again', async () => {
  const clone = await server.project('gate');
  const host = 'main.gate.localhost';
  await clone.deploy(keeper());
  await write(host, 'precious');
  await clone.commit(keeper({ name: 'other', mounts: false }));
  const refused = await clone.push();
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /allow-destroy=NODE/);
  const allowed = await clone.push('HEAD:main', { options: ['allow-destroy=web'] });
  assert.equal(allowed.code, 0, allowed.output);
  assert.deepEqual(
    (await trash('gate')).map(({ environment, node }) => [environment, node]),
    [['main', 'web']],
  );
  await clone.deploy(keeper());
  assert.equal(await read(host), 'precious');
  assert.deepEqual(await trash('gate'), []);
});

test('data moves with its node, and back with a revert', async () => {
  const clone = await server.project('moving');
  const host = 'main.moving.localhost';
  await clone.deploy(keeper());
  await write(host, 'precious');
  await clone.deploy(keeper({ name: 'shop', more: '    moved: { from: web }\n' }));
  assert.equal(await read(host), 'precious');
  await write(host, 'newer');
  const deployments = await server.read<{ id: string }[]>('deployments', '--project', 'moving');
  const reverted = await server.cli('revert', deployments.at(-1)?.id ?? '', '--project', 'moving');
  assert.equal(reverted.code, 0, reverted.stderr);
  assert.equal(await read(host), 'newer');
});

test('a revert with data brings back what the release last served', async () => {
  const clone = await server.project('back');
  const host = 'main.back.localhost';
  await clone.deploy(keeper());
  await write(host, 'of-the-first');
  await clone.deploy({ 'README.md': 'more\n', ...keeper({ more: '    variables: { env: { A: b } }\n' }) });
  await write(host, 'of-the-second');
  const deployments = await server.read<{ id: string }[]>('deployments', '--project', 'back');
  const reverted = await server.cli('revert', deployments.at(-1)?.id ?? '', '--with-data', '--project', 'back');
  assert.equal(reverted.code, 0, reverted.stderr);
  assert.equal(await read(host), 'of-the-first');
});

test('a deployment that fails while all requests wait gives its data back by itself, and says what it kept', async () => {
  const clone = await server.project('held');
  const host = 'main.held.localhost';
  await clone.deploy(keeper({ source: 'instance' }));
  await write(host, 'precious');
  await clone.commit(keeper({ source: 'instance', start: 'sh -c "echo half-migrated > kept/text; sleep 1; exit 1"' }));
  const reads: Promise<string>[] = [];
  const reading = setInterval(() => void reads.push(read(host)), 100);
  const { code, output } = await clone.push();
  clearInterval(reading);
  assert.notEqual(code, 0, output);
  assert.deepEqual([...new Set(await Promise.all(reads))], ['precious']);
  const kept = /what was made of it since is kept as (b_\w+)/.exec(output)?.[1] ?? '';
  assert.match(kept, /^b_/, output);
  const restored = await server.cli('backup', 'restore', kept, '--project', 'held');
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal(await read(host), 'half-migrated\n');
});

test('foreign data is closed until it is sanitised, whatever the branch says', async () => {
  const clone = await server.project('closed');
  const sanitize = 'data: { sanitize: { node: web, run: node scrub.mjs } }\n';
  await clone.deploy(keeper({ top: sanitize }));
  await write('main.closed.localhost', 'secret');
  await clone.commit({ ...keeper(), 'scrub.mjs': '' });
  const pushed = await clone.push(['HEAD:refs/heads/sly']);
  assert.equal(pushed.code, 0, pushed.output);
  assert.equal(await read('sly.closed.localhost'), 'scrubbed');
  assert.equal(await read('main.closed.localhost'), 'secret');
});

test('a branch whose data cannot be sanitised is refused, and nothing of it is left', async () => {
  const clone = await server.project('failing');
  await clone.deploy(keeper({ top: 'data: { sanitize: { node: web, run: "echo no; exit 3" } }\n' }));
  await write('main.failing.localhost', 'secret');
  const pushed = await clone.push(['HEAD:refs/heads/feature']);
  assert.notEqual(pushed.code, 0);
  assert.match(pushed.output, /sanitize/);
  const environments = await server.read<EnvironmentView[]>('env', 'list', '--project', 'failing');
  assert.deepEqual(
    environments.map(({ name }) => name),
    ['main'],
  );
});

test('a copy of one that sleeps holds its data, and one that wants none begins empty', async () => {
  const clone = await server.project('asleep');
  await clone.deploy(keeper({ top: 'environments: [{ match: "bare/*", data: empty }]\n' }));
  await write('main.asleep.localhost', 'precious');
  await server.cli('env', 'suspend', 'main', '--project', 'asleep');
  const pushed = await clone.push(['HEAD:refs/heads/feature', 'HEAD:refs/heads/bare/one']);
  assert.equal(pushed.code, 0, pushed.output);
  assert.equal(await read('feature.asleep.localhost'), 'precious');
  const bare = (await server.read<EnvironmentView[]>('env', 'list', '--project', 'asleep')).find(({ branch }) => branch === 'bare/one');
  assert.equal(await read(new URL(bare?.urls[0] ?? '').hostname), 'nothing');
  assert.match(pushed.output, /begins without data/);
});
