import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { buildNode, buildSpec, mountAt, nodeName } from '@coppice/model/builders';
import { checkDataIsKept, type KeptVolume } from './data-gate.ts';

const mount = mountAt('/data');
const db = buildNode('db', { mounts: [mount] });
const kept = (overrides: Partial<KeptVolume> = {}): readonly KeptVolume[] => [
  { node: nodeName('db'), volume: mount.volume ?? '', owner: db, attached: true, ...overrides },
];
const isLoss = (error: unknown): boolean => isCoppiceError(error) && error.code === 'data-loss-refused';

test('a node whose data is served cannot go, nor stop to mount it', () => {
  assert.throws(() => checkDataIsKept(buildSpec([]), kept()), isLoss);
  assert.throws(() => checkDataIsKept(buildSpec([buildNode('db')]), kept()), isLoss);
});

test('a node that a revert already took away does not stand in the way of further pushes', () => {
  assert.doesNotThrow(() => checkDataIsKept(buildSpec([]), kept({ attached: false })));
});

test('a node that comes back finds its data again, or is refused where it has become something else', () => {
  assert.doesNotThrow(() => checkDataIsKept(buildSpec([db]), kept({ attached: false })));
  const other = { ...db, trace: { ...db.trace, type: 'another' } };
  assert.throws(() => checkDataIsKept(buildSpec([other]), kept({ attached: false })), isLoss);
});

test('a service does not go back to an older version, and the refusal names the way out', () => {
  const at = (version: string): typeof db => ({ ...db, kind: 'service', trace: { ...db.trace, version } });
  const served = kept({ owner: at('17') });
  assert.doesNotThrow(() => checkDataIsKept(buildSpec([at('17')]), served));
  assert.doesNotThrow(() => checkDataIsKept(buildSpec([at('17.1')]), served));
  for (const older of ['16', '9.6', '16.10']) {
    assert.throws(
      () => checkDataIsKept(buildSpec([at(older)]), served),
      (error: unknown) => isLoss(error) && /:17 and cannot go back to version .*coppice backup list.*with a revert/.test(String(error)),
    );
  }
});
