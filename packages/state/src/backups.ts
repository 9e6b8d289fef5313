import { CoppiceError, type DeploymentId, type Digest, type EnvironmentId, type SnapshotId } from '@coppice/model';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { equalTo } from './equal-to.ts';
import { opaqueId } from './opaque-id.ts';
import type { BackupRecord, BackupStore } from './store.ts';

interface BackupRow {
  readonly sequence: number;
  readonly id: SnapshotId;
  readonly project: string;
  readonly environment: EnvironmentId;
  readonly environment_name: string;
  readonly kind: BackupRecord['kind'];
  readonly reason: string;
  readonly deployment: DeploymentId | null;
  readonly before_deployment: DeploymentId | null;
  readonly spec: Digest | null;
  readonly created_at: string;
  readonly bytes: number | null;
}

/** The kept copies of environments' data. */
export function backupStore(database: Database, clock: Clock): BackupStore {
  return {
    newId: () => opaqueId('b') as SnapshotId,
    create: (backup) => create(database, clock, backup),
    get(id) {
      const row = database.get<BackupRow>('SELECT * FROM backups WHERE id = @id', { id });
      return row === undefined ? undefined : toRecord(row);
    },
    list({ project, environment, before }) {
      const { where, parameters } = equalTo({ project, environment, before_deployment: before });
      return database.all<BackupRow>(`SELECT * FROM backups ${where} ORDER BY sequence DESC`, parameters).map(toRecord);
    },
    setBytes(id, bytes) {
      const { changes } = database.run('UPDATE backups SET bytes = @bytes WHERE id = @id', { id, bytes });
      if (changes === 0) throw new CoppiceError('not-found', `there is no backup ${id}`);
    },
    delete(id) {
      database.run('DELETE FROM backups WHERE id = @id', { id });
    },
  };
}

function create(database: Database, clock: Clock, backup: Parameters<BackupStore['create']>[0]): BackupRecord {
  const { id, project, environment, environmentName, kind, reason, deployment, before, spec } = backup;
  const createdAt = clock.now().toISOString();
  const { rowId } = database.run(
    `INSERT INTO backups (id, project, environment, environment_name, kind, reason, deployment, before_deployment, spec, created_at)
     VALUES (@id, @project, @environment, @environmentName, @kind, @reason, @deployment, @before, @spec, @createdAt)`,
    { id, project, environment, environmentName, kind, reason, deployment, before, spec, createdAt },
  );
  return {
    id,
    sequence: rowId,
    project,
    environment,
    environmentName,
    kind,
    reason,
    deployment,
    before,
    spec,
    createdAt,
    bytes: undefined,
  };
}

function toRecord(row: BackupRow): BackupRecord {
  return {
    id: row.id,
    sequence: row.sequence,
    project: row.project,
    environment: row.environment,
    environmentName: row.environment_name,
    kind: row.kind,
    reason: row.reason,
    deployment: row.deployment ?? undefined,
    before: row.before_deployment ?? undefined,
    spec: row.spec ?? undefined,
    createdAt: row.created_at,
    bytes: row.bytes ?? undefined,
  };
}
