import type { DeploymentId, ObservedJob } from '@coppice/model';

/**
 * Jobs of attempts that are not wanted any more: what they would give nobody waits for. One is left where the engine was away when its
 * deployment failed, or the server was killed.
 */
export function strayJobs(jobs: readonly ObservedJob[], attempt: DeploymentId | undefined): readonly ObservedJob[] {
  return jobs.filter((job) => job.deployment !== attempt);
}
