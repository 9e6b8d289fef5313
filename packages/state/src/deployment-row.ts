import type { Deployment, DeploymentId, DeploymentStatus, Digest, EnvironmentId, GitId } from '@coppice/model';
import { parseStored } from './stored-json.ts';

/** A row of `deployments` with the heads of its plans as a JSON array. */
export interface DeploymentRow {
  readonly sequence: number;
  readonly id: DeploymentId;
  readonly environment: EnvironmentId;
  readonly commit_id: GitId;
  readonly tree: GitId;
  readonly release: Digest | null;
  readonly status: DeploymentStatus;
  readonly reason: string;
  readonly actor: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly build_ms: number;
  readonly plan_ms: number;
  readonly apply_ms: number;
  readonly plans: string;
}

/** The deployment that a row holds. */
export function toDeployment(row: DeploymentRow): Deployment {
  return {
    id: row.id,
    sequence: row.sequence,
    environment: row.environment,
    commit: row.commit_id,
    tree: row.tree,
    release: row.release ?? undefined,
    status: row.status,
    reason: row.reason,
    actor: row.actor,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    durations: { build: row.build_ms, plan: row.plan_ms, apply: row.apply_ms },
    plans: parseStored<Deployment['plans']>(row.plans),
  };
}
