import type { DataSource, Digest, GitId, Release } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import type { OriginOfData } from '../data/origin-of-data.ts';

/** One change of an environment's release, by whoever asked for it. */
export interface DeployRequest {
  readonly environment: EnvironmentRecord;
  readonly ref: string;
  /** The ref's value before, 40 zeros for a new one; equal to `commit` where no ref moves. */
  readonly previous: string;
  readonly commit: GitId;
  readonly tree: GitId;
  readonly release: { readonly digest: Digest; readonly value: Release };
  readonly actor: string;
  readonly reason: string;
  readonly options: readonly string[];
  readonly buildMs: number;
  readonly activity: RunningActivity;
  /** `after`: the ref moves once the release serves; `before`: at once, when the intent is written. */
  readonly refMoves: 'after' | 'before';
  /** Called when a ref that moves before has moved. */
  readonly onRefMoved?: () => void;
  /** Data that comes with the release, in place of the environment's own. */
  readonly data?: NewData;
}

/** A kept copy that an environment gets, and what it is a copy of. */
export interface NewData {
  readonly source: Omit<DataSource, 'attempt'>;
  readonly origin: OriginOfData;
}
