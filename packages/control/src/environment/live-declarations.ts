import type { BackupRule, DeploymentId } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { liveOf } from '../history/find.ts';

/** What of a live release is asked again and again while nothing happens. */
export interface LiveDeclaration {
  readonly suspendAfterMs: number | undefined;
  readonly backups: readonly BackupRule[];
}

const nothing: LiveDeclaration = { suspendAfterMs: undefined, backups: [] };
const mostKnown = 1_000;

/** What live deployments declare, read once each: it never changes, and to read all their specs at each look costs more than all else. */
export class LiveDeclarations {
  readonly #store: Store;
  readonly #known = new Map<DeploymentId, LiveDeclaration>();

  constructor(store: Store) {
    this.#store = store;
  }

  of(environment: EnvironmentRecord): LiveDeclaration {
    if (environment.live === undefined) return nothing;
    const known = this.#known.get(environment.live);
    if (known) return known;
    const live = liveOf(this.#store, environment);
    const read = live ? { suspendAfterMs: live.spec.suspendAfterMs, backups: live.release.backups } : nothing;
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(environment.live, read);
    return read;
  }
}
