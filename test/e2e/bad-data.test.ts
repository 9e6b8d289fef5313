import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ActivityView, BackupView, EnvironmentView, TrashView } from '@coppice/control';
import { keeper, readKept, writeKept } from './harness/keeper-app.ts';
import { TestServer, until } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

const names = async (project: string): Promise<readonly string[]> =>
  (await server.read<EnvironmentView[]>('env', 'list', '--project', project)).map(({ name }) => name);

test('a sanitise command that hangs is ended, the push is refused, and nothing of the copy is left', async () => {
  const clone = await server.project('hanging');
  await clone.deploy(keeper({ top: 'data: { sanitize: { node: web, run: "sleep 600", timeout: 2s } }\n' }));
  await writeKept(server, 'main.hanging.localhost', 'secret');
  const { code, output } = await clone.push('HEAD:refs/heads/feature');
  assert.notEqual(code, 0);
  assert.match(output, /sanitize.* took longer than 2 s/);
  assert.deepEqual(await names('hanging'), ['main']);
});

test('nothing reaches a copy before it is sanitised: no route, no shell, no backup, and its branch cannot be cloned', async () => {
  const clone = await server.project('shut');
  await clone.deploy(keeper({ top: 'data: { sanitize: { node: web, run: "sleep 6; node scrub.mjs" } }\n' }));
  await writeKept(server, 'main.shut.localhost', 'secret');
  const pushing = clone.push('HEAD:refs/heads/feature');
  const status = async (): Promise<string | undefined> =>
    (await server.read<EnvironmentView[]>('env', 'list', '--project', 'shut')).find(({ name }) => name === 'feature')?.status;
  await until(async () => (await status()) === 'closed', { what: 'the copy is closed' });
  assert.notEqual((await server.request('feature.shut.localhost', '/read')).status, 200);
  for (const command of [
    ['exec', 'web', '--env', 'feature', '--project', 'shut', '--', 'cat', 'kept/text'],
    ['backup', 'create', '--env', 'feature', '--project', 'shut'],
  ]) {
    const refused = await server.cli(...command);
    assert.notEqual(refused.code, 0, command.join(' '));
    assert.doesNotMatch(refused.stdout, /secret/);
    assert.match(refused.stderr, /not sanitised yet/);
  }
  const { code, output } = await pushing;
  assert.equal(code, 0, output);
  assert.equal(await readKept(server, 'feature.shut.localhost'), 'scrubbed');
});

test('data cannot come from another project, nor from one that never served', async () => {
  const clone = await server.project('lonely');
  await clone.deploy(keeper());
  const { code, output } = await clone.push('HEAD:refs/heads/feature', { options: ['parent=hanging'] });
  assert.notEqual(code, 0);
  assert.match(output, /parent=hanging: the project has no such environment/);
  const foreign = (await server.read<BackupView[]>('backup', 'list', '--project', 'hanging'))[0];
  const { id } = await server.read<{ id: string }>('backup', 'create', '--project', 'hanging');
  assert.notEqual(foreign?.id, id);
  const restored = await server.cli('backup', 'restore', id, '--project', 'lonely');
  assert.equal(restored.code, 3);
  assert.match(restored.stderr, /has no backup/);
});

test('a backup of another topology shows its plan, and what no node takes lies in the trash', async () => {
  const clone = await server.project('changed');
  await clone.deploy(keeper());
  await writeKept(server, 'main.changed.localhost', 'precious');
  const { id } = await server.read<{ id: string }>('backup', 'create', '--project', 'changed');
  await clone.commit(keeper({ name: 'shop' }));
  const { code, output } = await clone.push('HEAD', { options: ['allow-destroy=web'] });
  assert.equal(code, 0, output);
  await server.cli('trash', 'empty', '--project', 'changed');
  const restored = await server.cli('backup', 'restore', id, '--project', 'changed');
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stdout + restored.stderr, /in the place of the data/);
  const trash = await server.read<TrashView[]>('trash', 'list', '--project', 'changed');
  assert.deepEqual(
    trash.map(({ node }) => node),
    ['web'],
  );
  assert.equal(await readKept(server, 'main.changed.localhost'), 'nothing');
});

test('a branch that is deleted while it is cloned is gone, whole, and its parent unharmed', async () => {
  const clone = await server.project('hasty');
  await clone.deploy(keeper());
  await writeKept(server, 'main.hasty.localhost', 'precious');
  const pushing = clone.push('HEAD:refs/heads/feature');
  await until(async () => (await names('hasty')).includes('feature'), { what: 'the branch has an environment' });
  const deleted = await server.cli('env', 'delete', 'feature', '--project', 'hasty');
  await pushing;
  assert.equal(deleted.code, 0, deleted.stderr);
  await until(async () => (await names('hasty')).join() === 'main', { what: 'the environment is gone' });
  assert.equal(await readKept(server, 'main.hasty.localhost'), 'precious');
  const running = await server.read<ActivityView[]>('activity', 'list', '--project', 'hasty');
  assert.deepEqual(
    running.filter(({ state }) => state === 'running'),
    [],
  );
});
