import type { DeploymentId } from '@coppice/model';
import type { BackupRecord } from '@coppice/state';

/** What an environment keeps of its backups by itself. */
export interface Keeping {
  /** Deployments that may be reverted to; backups taken before others are not needed. */
  readonly deployments: ReadonlySet<DeploymentId>;
  /** How many scheduled ones, by their reason; of a schedule that is gone as many as one keeps that says nothing. */
  readonly scheduled: ReadonlyMap<string, number>;
  /** How many of what a restore or a sync replaced. */
  readonly replaced: number;
}

/** Backups of one environment, newest first, that go by themselves. One that a person asked for never does. Pure. */
export function outdatedBackups(backups: readonly BackupRecord[], keeping: Keeping): readonly BackupRecord[] {
  const of = (kind: BackupRecord['kind']): readonly BackupRecord[] => backups.filter((backup) => backup.kind === kind);
  return [
    ...of('deployment').filter(({ before }) => before === undefined || !keeping.deployments.has(before)),
    ...beyond(of('scheduled'), keeping.scheduled),
    ...of('replaced').slice(keeping.replaced),
  ];
}

const keptByDefault = 7;

function beyond(backups: readonly BackupRecord[], kept: ReadonlyMap<string, number>): readonly BackupRecord[] {
  const seen = new Map<string, number>();
  return backups.filter(({ reason }) => {
    const count = (seen.get(reason) ?? 0) + 1;
    seen.set(reason, count);
    return count > (kept.get(reason) ?? keptByDefault);
  });
}
