import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeploymentId, NodeName, ObservedJob } from '@coppice/model';
import type { Step } from '@coppice/plan';
import { strayJobs } from './stray-jobs.ts';

function job(deployment: string): ObservedJob {
  return {
    deployment: deployment as DeploymentId,
    node: 'web' as NodeName,
    hook: 'deploy',
    id: `c-${deployment}`,
    state: 'exited',
    exitCode: 137,
    outOfMemory: false,
  };
}

const attempt = 'd_wanted' as DeploymentId;
const steps: readonly Step[] = [{ id: 'run-job web deploy', kind: 'run-job', node: 'web' as NodeName, hook: 'deploy', after: [] }];

test('jobs of other attempts than the desired one are stray, whatever became of them', () => {
  const jobs = [job('d_old'), job('d_wanted')];
  assert.deepEqual(strayJobs(jobs, { attempt, steps }), [job('d_old')]);
  assert.deepEqual(strayJobs(jobs, { attempt: undefined, steps }), jobs);
});

test('a job of the desired attempt that no step runs is stray: its result is recorded', () => {
  assert.deepEqual(strayJobs([job('d_wanted')], { attempt, steps: [] }), [job('d_wanted')]);
});
