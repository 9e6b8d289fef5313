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

test('simulated: a replacement that fails half-way leaves no set until something is done with it, and the old one then', async () => {
  const volumes = createSimulatedVolumes();
  const [environment, ref] = [environmentId('bb'), volumeRef('bb', 'db', 'data')];
  await volumes.ensure(ref, '1:1');
  volumes.write(ref, 'before');
  await volumes.snapshot({ environment, id: snapshotId('from') });
  volumes.write(ref, 'later');
  volumes.onHalf(() => Promise.reject(new Error('no space')));
  await assert.rejects(volumes.replace(replacement()), /no space/);
  assert.deepEqual([await volumes.generation(environment), (await volumes.snapshots()).length], [undefined, 2]);
  volumes.onHalf(() => undefined);
  volumes.reopen();
  assert.deepEqual([await volumes.generation(environment), (await volumes.snapshots()).length], [0, 1]);
  assert.equal(volumes.read(ref), 'later');
  await volumes.replace(replacement());
  assert.equal(volumes.read(ref), 'before');
});
