import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Ports } from '@coppice/control';
import { openStore } from '@coppice/state';
import { killPoints, withAfterEffect } from './kill-points.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-kill-points-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('without its variables there are no kill points', () => {
  assert.equal(killPoints({ PATH: '/bin' }), undefined);
});

test('the process ends by SIGKILL right after the effect that was asked for, counted since the file was written', (t) => {
  const folder = folderOf(t);
  const program = `
    import { writeFileSync } from 'node:fs';
    import { killPoints } from ${JSON.stringify(new URL('kill-points.ts', import.meta.url).href)};
    const after = killPoints(process.env);
    after('before');
    writeFileSync(process.env.COPPICE_KILL_AT, '2');
    for (const name of ['one', 'two', 'three']) after(name);
  `;
  const variables = { PATH: process.env['PATH'], COPPICE_KILL_AT: join(folder, 'at'), COPPICE_KILL_LOG: join(folder, 'log') };
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { env: variables });
  assert.deepEqual([signal, readFileSync(join(folder, 'log'), 'utf8')], ['SIGKILL', 'before\none\ntwo\n']);
});

test('what is read is no effect, and a transaction is one', async (t) => {
  const folder = folderOf(t);
  const store = openStore({ directory: folder });
  t.after(() => store.close());
  const port = { ensure: async () => '/volume', inspect: async () => [], repository: () => ({ updateRefs: async () => undefined }) };
  const simulated = { engine: {}, volumes: port, router: {}, repositories: { open: port.repository }, store };
  const effects: string[] = [];
  const ports = withAfterEffect(simulated as unknown as Ports, (name) => void effects.push(name));
  ports.store.projects.create('shop');
  const environment = { project: 'shop', name: 'main', branch: 'main', parent: undefined };
  ports.store.transaction(() => ports.store.environments.create(environment));
  ports.store.environments.create({ ...environment, name: 'side', branch: 'side' });
  await ports.volumes.inspect('e_1' as never);
  await ports.volumes.ensure({} as never, '1:1');
  await ports.repositories.open('p_1').updateRefs([]);
  ports.store.trash.delete('t_1');
  const changed = ['store.transaction', 'store.environments.create', 'volumes.ensure', 'repository.updateRefs', 'store.trash.delete'];
  assert.deepEqual(effects, changed);
});
