import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeploymentId, NodeName, ObservedJob } from '@coppice/model';
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

test('jobs of other attempts than the desired one are stray, whatever became of them', () => {
  const jobs = [job('d_old'), job('d_wanted')];
  assert.deepEqual(strayJobs(jobs, 'd_wanted' as DeploymentId), [job('d_old')]);
  assert.deepEqual(strayJobs(jobs, undefined), jobs);
});
