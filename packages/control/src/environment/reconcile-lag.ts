import type { EnvironmentId } from '@coppice/model';
import type { Ports } from '../ports.ts';

/** How long environments take from a look being asked for until they are seen as desired. */
export class ReconcileLag {
  readonly #ports: Pick<Ports, 'clock' | 'measure'>;
  /** Since when a look has been asked for that has not ended with all as desired. */
  readonly #askedMs = new Map<EnvironmentId, number>();

  constructor(ports: Pick<Ports, 'clock' | 'measure'>) {
    this.#ports = ports;
  }

  /** A look was asked for; the first one counts until it is settled. */
  asked(id: EnvironmentId): void {
    if (!this.#askedMs.has(id)) this.#askedMs.set(id, this.#ports.clock.monotonicMs());
  }

  /** It is as desired, or gone. */
  settled(id: EnvironmentId): void {
    const askedMs = this.#askedMs.get(id);
    if (askedMs === undefined) return;
    this.#askedMs.delete(id);
    this.#ports.measure?.({ kind: 'settled', lagMs: this.#ports.clock.monotonicMs() - askedMs });
  }

  /** Milliseconds since the oldest look that has not seen its environment as desired; 0 where there is none. */
  oldestMs(): number {
    const nowMs = this.#ports.clock.monotonicMs();
    return Math.max(0, ...[...this.#askedMs.values()].map((askedMs) => nowMs - askedMs));
  }
}
