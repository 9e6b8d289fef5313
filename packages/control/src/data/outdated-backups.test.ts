import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeploymentId } from '@coppice/model';
import type { BackupRecord } from '@coppice/state';
import { outdatedBackups } from './outdated-backups.ts';

function backup(id: string, kind: BackupRecord['kind'], before?: string): BackupRecord {
  const record = { id, kind, before, sequence: 0, project: 'shop', environment: 'e_1', environmentName: 'main' };
  return { ...record, reason: '', deployment: undefined, spec: undefined, createdAt: '', bytes: undefined } as BackupRecord;
}

test('backups go when nothing reverts to them, when newer ones took their places, and never where a person asked for them', () => {
  const backups = [
    backup('b_1', 'scheduled'),
    backup('b_2', 'manual'),
    backup('b_3', 'deployment', 'd_2'),
    backup('b_4', 'scheduled'),
    backup('b_5', 'deployment', 'd_1'),
    backup('b_6', 'replaced'),
    backup('b_7', 'replaced'),
    backup('b_8', 'manual'),
  ];
  const keeping = { deployments: new Set(['d_2' as DeploymentId]), scheduled: new Map([['', 1]]), replaced: 1 };
  assert.deepEqual(
    outdatedBackups(backups, keeping).map(({ id }) => id),
    ['b_5', 'b_4', 'b_7'],
  );
});

test('each schedule keeps its own number', () => {
  const of = (id: string, reason: string): BackupRecord => ({ ...backup(id, 'scheduled'), reason });
  const backups = [of('b_1', 'daily'), of('b_2', 'weekly'), of('b_3', 'daily'), of('b_4', 'daily'), of('b_5', 'weekly')];
  const keeping = {
    deployments: new Set<DeploymentId>(),
    scheduled: new Map([
      ['daily', 2],
      ['weekly', 1],
    ]),
    replaced: 0,
  };
  assert.deepEqual(
    outdatedBackups(backups, keeping).map(({ id }) => id),
    ['b_4', 'b_5'],
  );
});
