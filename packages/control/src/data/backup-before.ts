import { type DeploymentId, type EnvironmentSpec, isClosed, type SnapshotId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import type { Capture } from './capture.ts';
import type { DataKeeper } from './data-keeper.ts';
import { HeldData } from './held-data.ts';
import type { SnapshotClaims } from './snapshot-claims.ts';
import { touchesData } from './touches-data.ts';

export interface BackupBeforeParts {
  readonly ports: Pick<Ports, 'volumes' | 'store'>;
  readonly capture: Capture;
  readonly claims: SnapshotClaims;
  readonly keeper: DataKeeper;
}

/** A deployment that is about to be made. */
export interface Successor {
  readonly spec: EnvironmentSpec;
  readonly deployment: DeploymentId;
  readonly activity: Pick<RunningActivity, 'say' | 'note' | 'log' | 'signal'>;
}

export interface TakenBackup {
  /** Undefined where there is none, or none yet. */
  readonly id: SnapshotId | undefined;
  /** What the deployment copies once requests wait; undefined where it does not. */
  readonly held: HeldData | undefined;
  readonly taken: Promise<void>;
}

const nothingTaken: TakenBackup = { id: undefined, held: undefined, taken: Promise.resolve() };

/** Backups of what an environment holds when another release takes over, so that a revert can bring back what the old one last served. */
export class BackupBefore {
  readonly #parts: BackupBeforeParts;

  constructor(parts: BackupBeforeParts) {
    this.#parts = parts;
  }

  /**
   * Takes it before the deployment where that touches data or runs a deploy hook, and throws where it cannot be taken; its id is then known.
   * Else beside it, and only where that takes an instant. `taken` resolves when it is; the caller holds the lane until then.
   */
  async take(environment: EnvironmentRecord, successor: Successor): Promise<TakenBackup> {
    const { ports } = this.#parts;
    const live = liveOf(ports.store, environment);
    if (!live || isClosed(environment.desired)) return nothingTaken;
    const isInstant = copiesInAnInstant(ports.volumes);
    if (touchesData(live.spec, successor.spec)) {
      const id = await this.#take(environment, successor);
      return { ...nothingTaken, id, held: isInstant && id !== undefined ? this.#held() : undefined };
    }
    if (!isInstant) return nothingTaken;
    const taken = this.#take(environment, successor).then(
      () => undefined,
      (error: unknown) => successor.activity.log('backup.failed', { error }),
    );
    return { ...nothingTaken, taken };
  }

  /** Nobody needs the copies any more that were not recorded, or are named by what is desired. */
  release({ held }: TakenBackup): void {
    if (held) this.#parts.claims.release(held.id);
  }

  #held(): HeldData {
    const { ports, claims } = this.#parts;
    return new HeldData(claims.claim(ports.store.backups.newId()));
  }

  async #take(environment: EnvironmentRecord, { deployment, activity }: Successor): Promise<SnapshotId | undefined> {
    const id = await this.#parts.capture.take(environment, activity);
    if (id === undefined) return undefined;
    this.#parts.keeper.record({ id, environment, kind: 'deployment', reason: `before deployment ${deployment}`, before: deployment });
    activity.note(`the data as it was is kept as ${id}`);
    return id;
  }
}

/** Whether a copy of all data takes no longer the more there is: nobody is to wait for any other. */
export function copiesInAnInstant({ driver }: Pick<Ports['volumes'], 'driver'>): boolean {
  return driver.name === 'btrfs';
}
