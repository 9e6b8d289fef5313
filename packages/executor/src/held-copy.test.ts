import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapshotId } from '@coppice/model';
import { buildSpec, mountAt, relatedTo, routeTo } from '@coppice/model/builders';
import { EnvironmentFixture, probedNode } from './environment-fixture.ts';

const db = probedNode('db', { kind: 'service', mounts: [mountAt('/data', 'exclusive')] });
const files = probedNode('files', { mounts: [mountAt('/files')] });
const web = probedNode('web', { relationships: [relatedTo('db'), relatedTo('files')] });
const shop = buildSpec([db, files, web], [routeTo('web')]);
const newer = buildSpec([{ ...db, argv: ['newer'] }, files, web], [routeTo('web')]);
const id = 'b_held' as SnapshotId;

/** Deploys a release for which requests wait; resolves with what the copy was told, and how the environment stood while it was made. */
async function deployHeld(
  environment: EnvironmentFixture,
): Promise<{ readonly told: readonly string[]; readonly atCopy: readonly string[] }> {
  const told: string[] = [];
  let atCopy: readonly string[] = [];
  environment.onVolumes = () => {
    // Later ones make sure that the volumes are there.
    if (atCopy.length === 0) atCopy = environment.engine.containers().map(({ node, frozen }) => `${node} ${frozen ? 'frozen' : 'runs'}`);
  };
  const heldCopy = {
    id,
    copied: () => void told.push(`copied, routes ${environment.targetKind()}`),
    outdated: () => void told.push(`outdated, routes ${environment.targetKind()}`),
  };
  const results = await environment.apply({ spec: newer, heldCopy });
  assert.deepEqual(
    results.filter(({ state }) => state !== 'done'),
    [],
  );
  return { told, atCopy };
}

async function deployed(): Promise<EnvironmentFixture> {
  const environment = new EnvironmentFixture();
  await environment.apply({ spec: shop });
  environment.write('db', 'data', 'rows');
  return environment;
}

test('the data is copied while all requests wait and what has it open stands still, and is outdated before they go on', async () => {
  const environment = await deployed();
  const { told, atCopy } = await deployHeld(environment);
  assert.deepEqual(told, ['copied, routes hold', 'outdated, routes hold']);
  assert.deepEqual(atCopy, ['files frozen', 'web frozen']);
  assert.deepEqual(
    (await environment.volumes.snapshots()).map((copy) => copy.id),
    [id],
  );
  assert.ok(environment.engine.containers().every(({ frozen }) => !frozen));
});

test('what still has a request open may write, so there is no copy that says it has all', async () => {
  const environment = await deployed();
  environment.router.holdRequests(await environment.idOf('web.0'), 1);
  const { told } = await deployHeld(environment);
  assert.deepEqual(told, ['outdated, routes hold']);
  assert.deepEqual(await environment.volumes.snapshots(), []);
});
