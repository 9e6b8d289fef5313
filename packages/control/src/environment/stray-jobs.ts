import type { DeploymentId, ObservedJob } from '@coppice/model';
import { jobHook, type Step } from '@coppice/plan';

/**
 * Jobs that nobody waits for: those of attempts that are not wanted any more, and those that no step of the plan runs or adopts. One is left
 * where the engine was away when its deployment failed or its result was recorded, or the server was killed.
 */
export function strayJobs(
  jobs: readonly ObservedJob[],
  wanted: { readonly attempt: DeploymentId | undefined; readonly steps: readonly Step[] },
): readonly ObservedJob[] {
  return jobs.filter(
    (job) =>
      job.deployment !== wanted.attempt ||
      !wanted.steps.some((step) => step.kind === 'run-job' && step.node === job.node && jobHook(step) === job.hook),
  );
}
