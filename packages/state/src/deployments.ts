import { CoppiceError, type Deployment, type DeploymentId, type Digest } from '@coppice/model';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { type DeploymentRow, toDeployment } from './deployment-row.ts';
import { opaqueId } from './opaque-id.ts';
import type { DeploymentStore, StoredPlan } from './store.ts';

/** The history of attempts, with the plans of each. */
export function deploymentStore(database: Database, clock: Clock): DeploymentStore {
  const get = (id: DeploymentId): Deployment | undefined => query(database, 'WHERE id = @id', { id })[0];
  return {
    create: (deployment) => database.transaction(() => create(database, clock, deployment)),
    get,
    specOf: (id) => database.get<{ spec: Digest | null }>('SELECT spec FROM deployments WHERE id = @id', { id })?.spec ?? undefined,
    list: (environment, limit) =>
      query(database, 'WHERE environment = @environment ORDER BY sequence DESC LIMIT @limit', { environment, limit: limit ?? -1 }),
    listProject: (project, limit) =>
      query(database, 'WHERE project = @project ORDER BY sequence DESC LIMIT @limit', { project, limit: limit ?? -1 }),
    update: (id, change) => update(database, clock, { id, change }),
    addPlan: (id, plan) => addPlan(database, id, plan),
    plans: (id) => database.all<StoredPlan>('SELECT digest, changes, json FROM plans WHERE deployment = @id ORDER BY position', { id }),
  };
}

function create(database: Database, clock: Clock, deployment: Parameters<DeploymentStore['create']>[0]): Deployment {
  const { environment, commit, tree, release, spec, status, reason, actor } = deployment;
  const owner = database.get<{ project: string }>('SELECT project FROM environments WHERE id = @environment', { environment });
  if (owner === undefined) throw new CoppiceError('not-found', `there is no environment ${environment}`);
  const id = opaqueId('d') as DeploymentId;
  const startedAt = clock.now().toISOString();
  const { rowId } = database.run(
    `INSERT INTO deployments (id, project, environment, commit_id, tree, release, spec, status, reason, actor, started_at)
     VALUES (@id, @project, @environment, @commit, @tree, @release, @spec, @status, @reason, @actor, @startedAt)`,
    { id, project: owner.project, environment, commit, tree, release, spec, status, reason, actor, startedAt },
  );
  const durations = { build: 0, plan: 0, apply: 0 };
  return {
    id,
    sequence: rowId,
    environment,
    commit,
    tree,
    release,
    status,
    reason,
    actor,
    startedAt,
    finishedAt: undefined,
    durations,
    plans: [],
  };
}

function update(
  database: Database,
  clock: Clock,
  { id, change }: { readonly id: DeploymentId; readonly change: Parameters<DeploymentStore['update']>[1] },
): void {
  const { changes } = database.run(
    `UPDATE deployments SET
       status = coalesce(@status, status),
       reason = coalesce(@reason, reason),
       release = coalesce(@release, release),
       spec = coalesce(@spec, spec),
       build_ms = coalesce(@build, build_ms),
       plan_ms = coalesce(@plan, plan_ms),
       apply_ms = coalesce(@apply, apply_ms),
       finished_at = coalesce(finished_at, @finishedAt)
     WHERE id = @id`,
    {
      id,
      status: change.status,
      reason: change.reason,
      release: change.release,
      spec: change.spec,
      build: change.durations?.build,
      plan: change.durations?.plan,
      apply: change.durations?.apply,
      finishedAt: change.finished === true ? clock.now().toISOString() : undefined,
    },
  );
  if (changes === 0) throw new CoppiceError('not-found', `there is no deployment ${id}`);
}

function addPlan(database: Database, id: DeploymentId, plan: StoredPlan): void {
  database.run(
    `INSERT INTO plans (deployment, position, digest, changes, json)
     VALUES (@id, (SELECT count(*) FROM plans WHERE deployment = @id), @digest, @changes, @json)`,
    { id, digest: plan.digest, changes: plan.changes, json: plan.json },
  );
}

function query(database: Database, clause: string, parameters: Readonly<Record<string, string | number>>): readonly Deployment[] {
  const rows = database.all<DeploymentRow>(
    `SELECT *, (
       SELECT json_group_array(json_object('digest', digest, 'changes', changes) ORDER BY position) FROM plans WHERE deployment = deployments.id
     ) AS plans
     FROM deployments ${clause}`,
    parameters,
  );
  return rows.map(toDeployment);
}
