import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedVolumes } from './simulated-volumes.ts';
import { environmentId, replacement, snapshotContract, snapshotId } from './snapshot.contract.ts';
import { volumeRef, volumesContract } from './volumes.contract.ts';

volumesContract('simulated', async () => createSimulatedVolumes());
snapshotContract('simulated', async () => createSimulatedVolumes());

test('simulated: what a volume holds is what it held when the copy was taken', async () => {
  const volumes = createSimulatedVolumes();
  const [from, to] = [volumeRef('aa', 'db', 'data'), volumeRef('bb', 'db', 'data')];
  await volumes.ensure(from, '1:1');
  volumes.write(from, 'as it was');
  await volumes.snapshot({ environment: environmentId('aa'), id: snapshotId('from') });
  volumes.write(from, 'later');
  await volumes.ensure(from, '1:1');
  await volumes.replace(replacement());
  assert.deepEqual([volumes.read(to), volumes.read(from)], ['as it was', 'later']);
  assert.throws(() => volumes.read(volumeRef('bb', 'web', 'data')), /there is no volume data of web/);
});
