import type { DeploymentId } from '@coppice/model';
import type { BackupRecord } from '@coppice/state';

/** What an environment keeps of its backups by itself. */
export interface Keeping {
  /** Deployments that may be reverted to; backups taken before others are not needed. */
  readonly deployments: ReadonlySet<DeploymentId>;
  /** How many scheduled ones; of the file's rules the most. */
  readonly scheduled: number;
  /** How many of what a restore or a sync replaced. */
  readonly replaced: number;
}

/** Backups of one environment, newest first, that go by themselves. One that a person asked for never does. Pure. */
export function outdatedBackups(backups: readonly BackupRecord[], keeping: Keeping): readonly BackupRecord[] {
  const of = (kind: BackupRecord['kind']): readonly BackupRecord[] => backups.filter((backup) => backup.kind === kind);
  return [
    ...of('deployment').filter(({ before }) => before === undefined || !keeping.deployments.has(before)),
    ...of('scheduled').slice(keeping.scheduled),
    ...of('replaced').slice(keeping.replaced),
  ];
}
