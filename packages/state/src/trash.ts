import { CoppiceError, type DeploymentId, type EnvironmentId, type GitId, type SnapshotId } from '@coppice/model';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { equalTo } from './equal-to.ts';
import { opaqueId } from './opaque-id.ts';
import type { TrashRecord, TrashStore } from './store.ts';

interface TrashRow {
  readonly sequence: number;
  readonly id: string;
  readonly project: string;
  readonly environment: EnvironmentId;
  readonly environment_name: string;
  readonly branch: string;
  readonly node: string | null;
  readonly folder: string | null;
  readonly type: string | null;
  readonly snapshot: SnapshotId | null;
  readonly deployment: DeploymentId | null;
  readonly commit_id: GitId | null;
  readonly deleted_at: string;
  readonly purge_at: string;
  readonly bytes: number | null;
}

/** Data that nobody names any more, until its time has come. */
export function trashStore(database: Database, clock: Clock): TrashStore {
  return {
    newId: () => opaqueId('t'),
    create: (trash) => create(database, clock, trash),
    get(id) {
      const row = database.get<TrashRow>('SELECT * FROM trash WHERE id = @id', { id });
      return row === undefined ? undefined : toRecord(row);
    },
    list(filter) {
      const { where, parameters } = equalTo({ project: filter.project, environment: filter.environment });
      return database.all<TrashRow>(`SELECT * FROM trash ${where} ORDER BY sequence DESC`, parameters).map(toRecord);
    },
    setBytes(id, bytes) {
      const { changes } = database.run('UPDATE trash SET bytes = @bytes WHERE id = @id', { id, bytes });
      if (changes === 0) throw new CoppiceError('not-found', `there is nothing in the trash under ${id}`);
    },
    delete(id) {
      database.run('DELETE FROM trash WHERE id = @id', { id });
    },
  };
}

function create(database: Database, clock: Clock, trash: Parameters<TrashStore['create']>[0]): TrashRecord {
  const {
    id = opaqueId('t'),
    project,
    environment,
    environmentName,
    branch,
    node,
    folder,
    type,
    snapshot,
    deployment,
    commit,
    purgeAt,
  } = trash;
  const deletedAt = clock.now().toISOString();
  const fields = {
    id,
    project,
    environment,
    environmentName,
    branch,
    node,
    folder,
    type,
    snapshot,
    deployment,
    commit,
    deletedAt,
    purgeAt,
  };
  const { rowId } = database.run(
    `INSERT INTO trash (id, project, environment, environment_name, branch, node, folder, type, snapshot, deployment, commit_id, deleted_at, purge_at)
     VALUES (@id, @project, @environment, @environmentName, @branch, @node, @folder, @type, @snapshot, @deployment, @commit, @deletedAt, @purgeAt)`,
    fields,
  );
  return { ...fields, sequence: rowId, bytes: undefined };
}

function toRecord(row: TrashRow): TrashRecord {
  return {
    id: row.id,
    sequence: row.sequence,
    project: row.project,
    environment: row.environment,
    environmentName: row.environment_name,
    branch: row.branch,
    node: row.node ?? undefined,
    folder: row.folder ?? undefined,
    type: row.type ?? undefined,
    snapshot: row.snapshot ?? undefined,
    deployment: row.deployment ?? undefined,
    commit: row.commit_id ?? undefined,
    deletedAt: row.deleted_at,
    purgeAt: row.purge_at,
    bytes: row.bytes ?? undefined,
  };
}
