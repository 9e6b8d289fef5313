import { type Activity, type ActivityKind, type ActivityState, CoppiceError, type DeploymentId, type EnvironmentId } from '@coppice/model';
import { appendLines, readLines } from './activity-log.ts';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { opaqueId } from './opaque-id.ts';
import type { ActivityStore } from './store.ts';

interface ActivityRow {
  readonly sequence: number;
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

/** What happens and happened, with its logs. */
export function activityStore(database: Database, clock: Clock): ActivityStore {
  return {
    create: (activity) => create(database, clock, activity),
    get(id) {
      const row = database.get<ActivityRow>('SELECT * FROM activities WHERE id = @id', { id });
      return row === undefined ? undefined : toActivity(row);
    },
    list: (filter) => list(database, filter),
    update: (id, change) => update(database, clock, { id, change }),
    append: (id, lines) => database.transaction(() => appendLines(database, id, lines)),
    log: (id, after) => database.transaction(() => readLines(database, id, after ?? 0)),
  };
}

function create(database: Database, clock: Clock, activity: Parameters<ActivityStore['create']>[0]): Activity {
  const { kind, project, environment, deployment, actor, cause } = activity;
  const id = opaqueId('a');
  const startedAt = clock.now().toISOString();
  const { rowId } = database.run(
    `INSERT INTO activities (id, kind, state, project, environment, deployment, actor, cause, started_at)
     VALUES (@id, @kind, 'running', @project, @environment, @deployment, @actor, @cause, @startedAt)`,
    { id, kind, project, environment, deployment, actor, cause, startedAt },
  );
  return { id, sequence: rowId, kind, state: 'running', project, environment, deployment, actor, cause, startedAt, finishedAt: undefined };
}

function list(database: Database, filter: Parameters<ActivityStore['list']>[0]): readonly Activity[] {
  const clauses = (['project', 'environment', 'state'] as const).filter((column) => filter[column] !== undefined);
  const where = clauses.length === 0 ? '' : `WHERE ${clauses.map((column) => `${column} = @${column}`).join(' AND ')}`;
  const rows = database.all<ActivityRow>(`SELECT * FROM activities ${where} ORDER BY sequence DESC LIMIT @limit`, {
    ...Object.fromEntries(clauses.map((column) => [column, filter[column]])),
    limit: filter.limit ?? -1,
  });
  return rows.map(toActivity);
}

function update(
  database: Database,
  clock: Clock,
  { id, change }: { readonly id: string; readonly change: Parameters<ActivityStore['update']>[1] },
): void {
  const ended = change.state !== undefined && change.state !== 'running';
  const { changes } = database.run(
    `UPDATE activities SET
       state = coalesce(@state, state),
       environment = coalesce(@environment, environment),
       deployment = coalesce(@deployment, deployment),
       finished_at = coalesce(finished_at, @finishedAt)
     WHERE id = @id`,
    {
      id,
      state: change.state,
      environment: change.environment,
      deployment: change.deployment,
      finishedAt: ended ? clock.now().toISOString() : undefined,
    },
  );
  if (changes === 0) throw new CoppiceError('not-found', `there is no activity ${id}`);
}

function toActivity(row: ActivityRow): Activity {
  return {
    id: row.id,
    sequence: row.sequence,
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
