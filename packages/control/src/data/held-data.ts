import type { HeldCopy } from '@coppice/executor';
import type { SnapshotId } from '@coppice/model';

/**
 * A copy of all data that a deployment makes while requests wait, to go back to where it fails before they go on: nobody was told of anything
 * that is not in it. This process alone knows of it.
 */
export class HeldData implements HeldCopy {
  readonly id: SnapshotId;
  #state: 'wanted' | 'copied' | 'outdated' = 'wanted';

  constructor(id: SnapshotId) {
    this.id = id;
  }

  readonly copied = (): void => {
    if (this.#state === 'wanted') this.#state = 'copied';
  };

  readonly outdated = (): void => {
    this.#state = 'outdated';
  };

  /** Whether going back to it loses nothing that anybody was told of. */
  get isCurrent(): boolean {
    return this.#state === 'copied';
  }
}
