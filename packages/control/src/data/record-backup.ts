import type { DeploymentId, SnapshotId } from '@coppice/model';
import type { BackupRecord, EnvironmentRecord, Store } from '@coppice/state';

export interface NewBackup {
  readonly id: SnapshotId;
  readonly environment: Pick<EnvironmentRecord, 'id' | 'project' | 'name' | 'live'>;
  readonly kind: BackupRecord['kind'];
  readonly reason: string;
  /** The deployment that it was taken before. */
  readonly before?: DeploymentId;
}

/** Records a kept copy, or one that is about to be kept, as a backup of what is live. */
export function recordBackup(
  store: Pick<Store, 'backups' | 'deployments' | 'environments'>,
  { id, environment, kind, reason, before }: NewBackup,
): BackupRecord {
  const deployment = store.environments.get(environment.id)?.live ?? environment.live;
  const spec = deployment && store.deployments.specOf(deployment);
  const { project, id: of, name: environmentName } = environment;
  return store.backups.create({ id, project, environment: of, environmentName, kind, reason, deployment, before, spec });
}
