import type { DeploymentId, Digest, EnvironmentId, GitId } from './identifiers.ts';

export type DeploymentStatus = 'queued' | 'building' | 'deploying' | 'succeeded' | 'failed' | 'superseded' | 'cancelled';

/** One attempt to bring an environment to a release. Times are RFC 3339 in UTC, durations milliseconds of the monotonic clock. */
export interface Deployment {
  readonly id: DeploymentId;
  readonly sequence: number;
  readonly environment: EnvironmentId;
  readonly commit: GitId;
  readonly tree: GitId;
  readonly release: Digest | undefined;
  readonly status: DeploymentStatus;
  /** Why it was made, or why it failed. */
  readonly reason: string;
  readonly actor: string;
  readonly startedAt: string;
  readonly finishedAt: string | undefined;
  readonly durations: { readonly build: number; readonly plan: number; readonly apply: number };
  readonly plans: readonly { readonly digest: Digest; readonly changes: number }[];
}
