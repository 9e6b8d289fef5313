import { once } from 'node:events';
import type { EnvironmentId } from '@coppice/model';

/** Environments that somebody waits for, each at most once until it is read: it cannot grow beyond what there is. */
export class WakeHints {
  readonly #waiting = new Set<EnvironmentId>();
  readonly #arrivals = new EventTarget();

  add(environment: EnvironmentId): void {
    this.#waiting.add(environment);
    this.#arrivals.dispatchEvent(new Event('arrival'));
  }

  /** What is there and what comes, for one reader, until the signal. */
  async *read(signal: AbortSignal): AsyncGenerator<EnvironmentId, void, undefined> {
    while (!signal.aborted) {
      const [next] = this.#waiting;
      if (next === undefined) {
        await this.#arrival(signal);
        continue;
      }
      this.#waiting.delete(next);
      yield next;
    }
  }

  async #arrival(signal: AbortSignal): Promise<void> {
    try {
      await once(this.#arrivals, 'arrival', { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
