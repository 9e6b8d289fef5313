import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GarbageItem } from '@coppice/control';
import { keeper, readKept, writeKept } from './harness/keeper-app.ts';
import { TestServer } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start({ variables: { COPPICE_KEPT_DEPLOYMENTS: '2' } });
});
after(async () => {
  await server.stop();
});

const collect = async (...flags: readonly string[]): Promise<readonly GarbageItem[]> => await server.read<GarbageItem[]>('gc', ...flags);
const deleted = (items: readonly GarbageItem[]): readonly GarbageItem[] => items.filter(({ action }) => action === 'delete');

test('what may run again stays, and a dry run deletes nothing', async () => {
  const clone = await server.project('tidy');
  await clone.deploy(keeper());
  await clone.deploy(keeper({ more: '    variables: { env: { A: one } }\n' }));
  const before = await server.builtImages();
  const items = await collect('--dry-run');
  assert.deepEqual(deleted(items), []);
  assert.ok(items.some(({ kind, why }) => kind === 'image' && why.includes('live in tidy/main')));
  assert.deepEqual(await server.builtImages(), before);
});

test('what only older deployments had goes, and comes back by a build when its tree is pushed again', async () => {
  const clone = await server.clone('tidy');
  const host = 'main.tidy.localhost';
  const first = await clone.git('rev-parse', 'HEAD~1');
  for (const text of ['two', 'three', 'four']) {
    const files = keeper({ more: `    variables: { env: { A: ${text} } }\n` });
    await clone.deploy({ ...files, 'server.mjs': `${files['server.mjs']}\n// ${text}\n` });
  }
  await writeKept(server, host, 'precious');
  const gone = deleted(await collect());
  assert.ok(
    gone.some(({ kind }) => kind === 'image'),
    JSON.stringify(gone),
  );
  assert.deepEqual(deleted(await collect('--dry-run')), []);
  assert.equal(await readKept(server, host), 'precious');
  await clone.git('checkout', '--quiet', first, '--', '.');
  await clone.deploy();
  assert.equal(await readKept(server, host), 'precious');
});
