import type { ObservedInstance, ReadinessSpec } from '@coppice/model';
import type { Clock } from '../ports.ts';

/** One probe of a running instance: undefined when it is ready, else what is wrong. */
export type ProbeOnce = (instance: ObservedInstance, readiness: ReadinessSpec) => Promise<string | undefined>;

const failuresUntilUnready = 3;

interface Health {
  checkedAtMs: number;
  ready: boolean;
  wasReady: boolean;
  failures: number;
}

/**
 * What the probes say of each running instance. An instance that was ready is unready after three failures in a row; one that never
 * was is `unknown`: it may still be starting. Answers are kept for the node's probe interval.
 */
export class HealthMonitor {
  readonly #probe: ProbeOnce;
  readonly #clock: Clock;
  readonly #known = new Map<string, Health>();

  constructor(probe: ProbeOnce, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** The instance's readiness, probed now unless that was done within the interval. */
  async check(instance: ObservedInstance, readiness: ReadinessSpec): Promise<ObservedInstance['readiness']> {
    if (instance.state !== 'running') return 'unknown';
    const key = keyOf(instance);
    const known = this.#known.get(key);
    const fresh = known?.ready === true && this.#clock.monotonicMs() - known.checkedAtMs < readiness.intervalMs;
    if (!fresh) this.#record(key, (await this.#probe(instance, readiness)) === undefined);
    return this.readinessOf(instance);
  }

  /** Notes what somebody else's probe found. */
  noteReady(instance: ObservedInstance): void {
    this.#record(keyOf(instance), true);
  }

  /** What is known without probing. */
  readinessOf(instance: ObservedInstance): ObservedInstance['readiness'] {
    const health = this.#known.get(keyOf(instance));
    if (instance.state !== 'running' || !health) return 'unknown';
    if (health.failures >= failuresUntilUnready && health.wasReady) return 'unready';
    return health.ready || health.wasReady ? 'ready' : 'unknown';
  }

  /** Forgets instances that are gone. */
  keepOnly(instances: Iterable<ObservedInstance>): void {
    const live = new Set([...instances].map(keyOf));
    for (const key of this.#known.keys()) if (!live.has(key)) this.#known.delete(key);
  }

  #record(key: string, ready: boolean): void {
    const before = this.#known.get(key);
    this.#known.set(key, {
      checkedAtMs: this.#clock.monotonicMs(),
      ready,
      wasReady: ready || before?.wasReady === true,
      failures: ready ? 0 : (before?.failures ?? 0) + 1,
    });
  }
}

/** A restart makes it another process, with nothing known. */
function keyOf(instance: ObservedInstance): string {
  return `${instance.id} ${instance.startedAt ?? ''}`;
}
