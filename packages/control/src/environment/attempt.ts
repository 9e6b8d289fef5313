import type { Deployment, DeploymentId } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';

/** The deployment that an environment's steps are done for: the one that is desired, else what is live, else the newest. */
export function attemptOf(store: Store, environment: EnvironmentRecord): Deployment {
  const attempt = environment.desired.attempt ?? environment.live;
  const found = attempt && store.deployments.get(attempt);
  return found ?? store.deployments.list(environment.id, 1)[0] ?? missingDeployment(environment);
}

/** An environment that is deleted before anything was deployed: its steps need no deployment. */
function missingDeployment(environment: EnvironmentRecord): Deployment {
  return {
    id: 'd_none' as DeploymentId,
    sequence: 0,
    environment: environment.id,
    commit: '' as Deployment['commit'],
    tree: '' as Deployment['tree'],
    release: undefined,
    status: 'failed',
    reason: '',
    actor: '',
    startedAt: '',
    finishedAt: undefined,
    durations: { build: 0, plan: 0, apply: 0 },
    plans: [],
  };
}
