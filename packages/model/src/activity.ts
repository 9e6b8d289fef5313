import type { DeploymentId, EnvironmentId } from './identifiers.ts';

/** `restore` brings back a backup or what lies in the trash, `trash` empties that, `gc` deletes what nothing needs any more. */
export type ActivityKind =
  | 'push'
  | 'deploy'
  | 'redeploy'
  | 'revert'
  | 'delete'
  | 'repair'
  | 'recover'
  | 'build'
  | 'suspend'
  | 'wake'
  | 'backup'
  | 'restore'
  | 'sync'
  | 'branch'
  | 'trash'
  | 'gc';
export type ActivityState = 'running' | 'succeeded' | 'failed' | 'cancelled';

/** Something that happens or happened, with its log. Times are RFC 3339 in UTC. */
export interface Activity {
  /** `a_…` */
  readonly id: string;
  readonly sequence: number;
  /** Number of its last change: one sequence numbers the changes of all activities, its start included; its log does not count. */
  readonly revision: number;
  readonly kind: ActivityKind;
  readonly state: ActivityState;
  readonly project: string;
  readonly environment: EnvironmentId | undefined;
  readonly deployment: DeploymentId | undefined;
  readonly actor: string;
  readonly cause: string;
  readonly startedAt: string;
  readonly finishedAt: string | undefined;
}
