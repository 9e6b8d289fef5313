import {
  CoppiceError,
  canonicalJson,
  type DataSource,
  type DeploymentId,
  type Desired,
  type EnvironmentId,
  type EnvironmentSpec,
  environmentSpecDigest,
  type SnapshotId,
  type VolumeMove,
} from '@coppice/model';
import { addressOffset } from './addresses.ts';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { jobsOf, recordJob } from './jobs.ts';
import { opaqueId } from './opaque-id.ts';
import type { EnvironmentRecord, EnvironmentStore } from './store.ts';
import { parseStored } from './stored-json.ts';

interface EnvironmentRow {
  readonly sequence: number;
  readonly id: EnvironmentId;
  readonly project: string;
  readonly name: string;
  readonly branch: string;
  readonly parent: EnvironmentId | null;
  readonly wanted: number;
  readonly run: Desired['run'];
  readonly specJson: string | null;
  readonly data_generation: number;
  readonly data_source: string | null;
  readonly volume_moves: string | null;
  readonly keep_data: string | null;
  readonly attempt: DeploymentId | null;
  readonly live: DeploymentId | null;
  readonly created_at: string;
}

const select = `
  SELECT environments.*, specs.json AS specJson
  FROM environments LEFT JOIN specs ON specs.digest = environments.spec`;

/** The environments of all projects, with what they shall be. */
export function environmentStore(database: Database, clock: Clock): EnvironmentStore {
  const get = (id: EnvironmentId): EnvironmentRecord | undefined => one(database, `${select} WHERE id = @id`, { id });
  return {
    create: (environment) => database.transaction(() => create(database, clock, environment)),
    list: (project) => {
      const where = project === undefined ? '' : 'WHERE project = @project';
      return database.all<EnvironmentRow>(`${select} ${where} ORDER BY sequence`, project === undefined ? {} : { project }).map(toRecord);
    },
    get,
    findByBranch: (project, branch) => one(database, `${select} WHERE project = @project AND branch = @branch`, { project, branch }),
    findByName: (project, name) => one(database, `${select} WHERE project = @project AND name = @name`, { project, name }),
    setDesired: (id, desired) => database.transaction(() => setDesired(database, id, desired)),
    setLive(id, deployment) {
      const { changes } = database.run('UPDATE environments SET live = @deployment WHERE id = @id', { id, deployment });
      if (changes === 0) throw missing(id);
    },
    delete: (id) => database.transaction(() => forget(database, id)),
    addressOffset: (id, node) => database.transaction(() => addressOffset(database, id, node)),
    recordJob: (job) => recordJob(database, job),
    jobs: (deployment) => jobsOf(database, deployment),
  };
}

function create(database: Database, clock: Clock, environment: Parameters<EnvironmentStore['create']>[0]): EnvironmentRecord {
  const { project, name, branch, parent } = environment;
  const clash = database.get<{ name: string; branch: string }>(
    'SELECT name, branch FROM environments WHERE project = @project AND (name = @name OR branch = @branch)',
    { project, name, branch },
  );
  if (clash !== undefined) {
    throw new CoppiceError('conflict', `the environment "${clash.name}" of the branch "${clash.branch}" is there already`);
  }
  const id = opaqueId('e') as EnvironmentId;
  const createdAt = clock.now().toISOString();
  const { rowId } = database.run(
    `INSERT INTO environments (id, project, name, branch, parent, wanted, run, spec, data_generation, created_at)
     VALUES (@id, @project, @name, @branch, @parent, 1, 'up', NULL, 0, @createdAt)`,
    { id, project, name, branch, parent, createdAt },
  );
  const desired: Desired = { exists: true, run: 'up', spec: undefined, dataGeneration: 0, attempt: undefined };
  return { id, sequence: rowId, project, name, branch, parent, desired, live: undefined, createdAt };
}

function setDesired(database: Database, id: EnvironmentId, desired: Desired): void {
  const digest = desired.spec === undefined ? undefined : environmentSpecDigest(desired.spec);
  if (desired.spec !== undefined) {
    database.run('INSERT INTO specs (digest, json) VALUES (@digest, @json) ON CONFLICT DO NOTHING', {
      digest,
      json: canonicalJson(desired.spec),
    });
  }
  const { changes } = database.run(
    `UPDATE environments
     SET wanted = @wanted, run = @run, spec = @digest, data_generation = @dataGeneration, data_source = @dataSource,
       volume_moves = @volumeMoves, keep_data = @keepData, attempt = @attempt
     WHERE id = @id`,
    {
      id,
      wanted: desired.exists ? 1 : 0,
      run: desired.run,
      digest,
      dataGeneration: desired.dataGeneration,
      dataSource: storedOrNothing(desired.dataSource),
      volumeMoves: storedOrNothing(desired.volumeMoves),
      keepData: storedOrNothing(desired.keepData),
      attempt: desired.attempt,
    },
  );
  if (changes === 0) throw missing(id);
}

/** As canonical JSON; what is absent stays so. */
function storedOrNothing(value: unknown): string | undefined {
  return value === undefined ? undefined : canonicalJson(value);
}

function forget(database: Database, id: EnvironmentId): void {
  database.run('DELETE FROM jobs WHERE deployment IN (SELECT id FROM deployments WHERE environment = @id)', { id });
  const { changes } = database.run('DELETE FROM environments WHERE id = @id', { id });
  if (changes === 0) throw missing(id);
}

function one(database: Database, sql: string, parameters: Readonly<Record<string, string>>): EnvironmentRecord | undefined {
  const row = database.get<EnvironmentRow>(sql, parameters);
  return row === undefined ? undefined : toRecord(row);
}

function toRecord(row: EnvironmentRow): EnvironmentRecord {
  return {
    id: row.id,
    sequence: row.sequence,
    project: row.project,
    name: row.name,
    branch: row.branch,
    parent: row.parent ?? undefined,
    desired: {
      exists: row.wanted === 1,
      run: row.run,
      spec: row.specJson === null ? undefined : parseStored<EnvironmentSpec>(row.specJson),
      dataGeneration: row.data_generation,
      ...(row.data_source === null ? {} : { dataSource: parseStored<DataSource>(row.data_source) }),
      ...(row.volume_moves === null ? {} : { volumeMoves: parseStored<readonly VolumeMove[]>(row.volume_moves) }),
      ...(row.keep_data === null ? {} : { keepData: parseStored<SnapshotId>(row.keep_data) }),
      attempt: row.attempt ?? undefined,
    },
    live: row.live ?? undefined,
    createdAt: row.created_at,
  };
}

function missing(id: EnvironmentId): CoppiceError {
  return new CoppiceError('not-found', `there is no environment ${id}`);
}
