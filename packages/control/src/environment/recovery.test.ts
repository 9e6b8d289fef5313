import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '@coppice/state';
import type { Ports } from '../ports.ts';
import { recover } from './recovery.ts';

test('an environment that was recorded but never given anything to hold is to be removed after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-recovery-'));
  const store = openStore({ directory });
  store.projects.create('shop');
  const { id, desired } = store.environments.create({ project: 'shop', name: 'main', branch: 'main', parent: undefined });
  const ports: Pick<Ports, 'store' | 'log'> = { store, log: () => undefined };
  await recover(ports as Ports);
  assert.deepEqual([desired.exists, store.environments.get(id)?.desired], [true, { ...desired, exists: false }]);
  store.close();
  rmSync(directory, { recursive: true });
});
