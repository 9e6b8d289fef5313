import type { DeploymentId, NodeName } from '@coppice/model';
import type { Database } from './database.ts';
import type { EnvironmentStore, JobState } from './store.ts';

/** Records where a job of an attempt stands, over what stood there. */
export function recordJob(database: Database, job: Parameters<EnvironmentStore['recordJob']>[0]): void {
  database.run(
    `INSERT INTO jobs (deployment, node, hook, state, exit_code) VALUES (@deployment, @node, @hook, @state, @exitCode)
     ON CONFLICT DO UPDATE SET state = excluded.state, exit_code = excluded.exit_code`,
    { deployment: job.deployment, node: job.node, hook: job.hook, state: job.state, exitCode: job.exitCode },
  );
}

/** The jobs of an attempt, sorted by node and hook. */
export function jobsOf(database: Database, deployment: DeploymentId): ReturnType<EnvironmentStore['jobs']> {
  return database
    .all<{ node: NodeName; hook: string; state: JobState; exit_code: number | null }>(
      'SELECT node, hook, state, exit_code FROM jobs WHERE deployment = @deployment ORDER BY node, hook',
      { deployment },
    )
    .map((row) => ({ node: row.node, hook: row.hook, state: row.state, exitCode: row.exit_code ?? undefined }));
}
