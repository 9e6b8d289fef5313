import type { DeploymentId, EnvironmentSpec } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import type { Capture } from './capture.ts';
import type { DataKeeper } from './data-keeper.ts';
import { touchesData } from './touches-data.ts';

export interface BackupBeforeParts {
  readonly ports: Pick<Ports, 'volumes' | 'store'>;
  readonly capture: Capture;
  readonly keeper: DataKeeper;
}

/** A deployment that is about to be made. */
export interface Successor {
  readonly spec: EnvironmentSpec;
  readonly deployment: DeploymentId;
  readonly activity: Pick<RunningActivity, 'say' | 'note' | 'log'>;
}

/** Backups of what an environment holds when another release takes over, so that a revert can bring back what the old one last served. */
export class BackupBefore {
  readonly #parts: BackupBeforeParts;

  constructor(parts: BackupBeforeParts) {
    this.#parts = parts;
  }

  /**
   * Takes it before the deployment where that touches data or runs a deploy hook, and throws where it cannot be taken. Else beside it, and
   * only where that takes an instant. `taken` resolves when it is; the caller holds the lane until then.
   */
  async take(environment: EnvironmentRecord, successor: Successor): Promise<{ readonly taken: Promise<void> }> {
    const { ports } = this.#parts;
    const live = liveOf(ports.store, environment);
    if (!live || environment.desired.dataSource?.sanitize) return { taken: Promise.resolve() };
    if (touchesData(live.spec, successor.spec)) {
      await this.#take(environment, successor);
      return { taken: Promise.resolve() };
    }
    if (ports.volumes.driver.name !== 'btrfs') return { taken: Promise.resolve() };
    const beside = this.#take(environment, successor).catch((error: unknown) => {
      successor.activity.log('backup.failed', { error });
    });
    return { taken: beside };
  }

  async #take(environment: EnvironmentRecord, { deployment, activity }: Successor): Promise<void> {
    const id = await this.#parts.capture.take(environment, 'briefly', activity);
    if (id === undefined) return;
    this.#parts.keeper.record({ id, environment, kind: 'deployment', reason: `before deployment ${deployment}`, before: deployment });
    activity.note(`the data as it was is kept as ${id}`);
  }
}
