import { type Activity, type ActivityKind, type ActivityState, CoppiceError, type DeploymentId, type EnvironmentId } from '@coppice/model';
import { appendLines, readLines } from './activity-log.ts';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { equalTo } from './equal-to.ts';
import { opaqueId } from './opaque-id.ts';
import type { ActivityStore } from './store.ts';

interface ActivityRow {
  readonly sequence: number;
  readonly revision: number;
  readonly id: string;
  readonly kind: ActivityKind;
  readonly state: ActivityState;
  readonly project: string;
  readonly environment: EnvironmentId | null;
  readonly deployment: DeploymentId | null;
  readonly actor: string;
  readonly cause: string;
  readonly started_at: string;
  readonly finished_at: string | null;
}

interface Counter {
  readonly last: number;
}

/** What happens and happened, with its logs. */
export function activityStore(database: Database, clock: Clock): ActivityStore {
  return {
    create: (activity) => database.transaction(() => create(database, clock, activity)),
    get(id) {
      const row = database.get<ActivityRow>('SELECT * FROM activities WHERE id = @id', { id });
      return row === undefined ? undefined : toActivity(row);
    },
    list: (filter) => list(database, filter),
    changedSince(revision, limit) {
      const sql = 'SELECT * FROM activities WHERE revision > @revision ORDER BY revision LIMIT @limit';
      return database.all<ActivityRow>(sql, { revision, limit }).map(toActivity);
    },
    lastRevision: () => counted(database.get<Counter>('SELECT last FROM activity_revision')),
    update: (id, change) => database.transaction(() => update(database, clock, { id, change })),
    append: (id, lines) => database.transaction(() => appendLines(database, id, lines)),
    log: (id, after) => database.transaction(() => readLines(database, id, after ?? 0)),
  };
}

function create(database: Database, clock: Clock, activity: Parameters<ActivityStore['create']>[0]): Activity {
  const { kind, project, environment, deployment, actor, cause } = activity;
  const id = opaqueId('a');
  const startedAt = clock.now().toISOString();
  const fields = { id, revision: nextRevision(database), kind, project, environment, deployment, actor, cause, startedAt };
  const { rowId } = database.run(
    `INSERT INTO activities (id, revision, kind, state, project, environment, deployment, actor, cause, started_at)
     VALUES (@id, @revision, @kind, 'running', @project, @environment, @deployment, @actor, @cause, @startedAt)`,
    fields,
  );
  return { ...fields, sequence: rowId, state: 'running', finishedAt: undefined };
}

function list(database: Database, filter: Parameters<ActivityStore['list']>[0]): readonly Activity[] {
  const { project, environment, state, before = Number.MAX_SAFE_INTEGER, limit = -1 } = filter;
  const { where, parameters } = equalTo({ project, environment, state });
  const sql = `SELECT * FROM activities ${where === '' ? 'WHERE' : `${where} AND`} sequence < @before ORDER BY sequence DESC LIMIT @limit`;
  return database.all<ActivityRow>(sql, { ...parameters, before, limit }).map(toActivity);
}

function update(
  database: Database,
  clock: Clock,
  { id, change }: { readonly id: string; readonly change: Parameters<ActivityStore['update']>[1] },
): void {
  const ended = change.state !== undefined && change.state !== 'running';
  const { changes } = database.run(
    `UPDATE activities SET
       revision = @revision,
       state = coalesce(@state, state),
       environment = coalesce(@environment, environment),
       deployment = coalesce(@deployment, deployment),
       finished_at = coalesce(finished_at, @finishedAt)
     WHERE id = @id`,
    {
      id,
      revision: nextRevision(database),
      state: change.state,
      environment: change.environment,
      deployment: change.deployment,
      finishedAt: ended ? clock.now().toISOString() : undefined,
    },
  );
  if (changes === 0) throw new CoppiceError('not-found', `there is no activity ${id}`);
}

/** The next number of the one sequence that the changes of all activities are numbered by. To be called in a transaction. */
function nextRevision(database: Database): number {
  return counted(database.get<Counter>('UPDATE activity_revision SET last = last + 1 RETURNING last'));
}

function counted(row: Counter | undefined): number {
  if (row === undefined)
    throw new CoppiceError('state-failed', 'the state database does not count the changes of activities: it is damaged');
  return row.last;
}

function toActivity(row: ActivityRow): Activity {
  return {
    id: row.id,
    sequence: row.sequence,
    revision: row.revision,
    kind: row.kind,
    state: row.state,
    project: row.project,
    environment: row.environment ?? undefined,
    deployment: row.deployment ?? undefined,
    actor: row.actor,
    cause: row.cause,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
  };
}
