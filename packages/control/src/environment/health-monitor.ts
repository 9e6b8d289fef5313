import type { EnvironmentId, ObservedInstance, ReadinessSpec } from '@coppice/model';
import type { Clock } from '../ports.ts';

/** One probe of a running instance: undefined when it is ready, else what is wrong. */
export type ProbeOnce = (instance: ObservedInstance, readiness: ReadinessSpec) => Promise<string | undefined>;

/** A running instance and how it is probed. */
export interface Watched {
  readonly instance: ObservedInstance;
  readonly readiness: ReadinessSpec;
}

const failuresUntilUnready = 3;

interface Health {
  checkedAtMs: number;
  ready: boolean;
  wasReady: boolean;
  failures: number;
}

/**
 * What the probes say of each running instance. One that was ready is unready after three failures in a row, and so is one that never
 * was though it has run for longer than a start may take; else it is `unknown`: it may still be starting.
 */
export class HealthMonitor {
  readonly #probe: ProbeOnce;
  readonly #clock: Clock;
  readonly #known = new Map<string, Health>();
  readonly #watched = new Map<EnvironmentId, readonly Watched[]>();
  /** Environments that stand still: what does not answer now is not ill. */
  readonly #still = new Set<EnvironmentId>();
  /** Instances whose probe is under way. */
  readonly #probing = new Set<string>();

  constructor(probe: ProbeOnce, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** The instance's readiness, probed now unless that was done within the interval. */
  async check(watched: Watched): Promise<ObservedInstance['readiness']> {
    if (watched.instance.state !== 'running') return 'unknown';
    const known = this.#known.get(keyOf(watched.instance));
    if (known?.ready !== true || this.#isDue(watched)) await this.#probeNow(watched);
    return this.#readiness(watched);
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

  /** These are all the instances of the environment that are to be probed from now on; the others are forgotten. */
  watch(environment: EnvironmentId, instances: readonly Watched[]): void {
    const keys = new Set(instances.map(({ instance }) => keyOf(instance)));
    for (const { instance } of this.#watched.get(environment) ?? []) {
      const key = keyOf(instance);
      if (!keys.has(key)) this.#known.delete(key);
    }
    const running = instances.filter(({ instance }) => instance.state === 'running');
    if (running.length > 0) this.#watched.set(environment, running);
    else this.#watched.delete(environment);
  }

  /** Probes none of the environment's instances while `work` is done. */
  async unprobed<Result>(environment: EnvironmentId, work: () => Promise<Result>): Promise<Result> {
    this.#still.add(environment);
    try {
      return await work();
    } finally {
      this.#still.delete(environment);
    }
  }

  /**
   * Begins to probe the watched instances whose interval is over, each by itself, so that one that hangs holds up no other. `onTurn` is
   * told the environment of one that became unready, or ready again. Resolves when all of these probes have ended.
   */
  async probeDue(onTurn: (environment: EnvironmentId) => void): Promise<void> {
    const all = [...this.#watched].flatMap(([environment, instances]) => instances.map((watched) => ({ environment, watched })));
    const due = all.filter(({ environment, watched }) => {
      if (this.#still.has(environment)) return false;
      const probed = watched.readiness.probe.kind !== 'alive' && !this.#probing.has(keyOf(watched.instance));
      return probed && this.#isDue(watched);
    });
    await Promise.all(
      due.map(async ({ environment, watched }) => {
        if (await this.#turns(watched)) onTurn(environment);
      }),
    );
  }

  /** Probes once; whether that changed what is known. */
  async #turns(watched: Watched): Promise<boolean> {
    const before = this.#readiness(watched);
    await this.#probeNow(watched);
    return this.#readiness(watched) !== before;
  }

  #isDue({ instance, readiness }: Watched): boolean {
    const health = this.#known.get(keyOf(instance));
    if (!health) return true;
    return this.#clock.monotonicMs() - health.checkedAtMs >= waitMs(readiness, health);
  }

  #readiness({ instance, readiness }: Watched): ObservedInstance['readiness'] {
    const known = this.readinessOf(instance);
    const failures = this.#known.get(keyOf(instance))?.failures ?? 0;
    if (known !== 'unknown' || failures < failuresUntilUnready || instance.startedAt === undefined) return known;
    const ageMs = this.#clock.now().getTime() - Date.parse(instance.startedAt);
    return ageMs > readiness.withinMs ? 'unready' : 'unknown';
  }

  async #probeNow({ instance, readiness }: Watched): Promise<void> {
    const key = keyOf(instance);
    this.#probing.add(key);
    try {
      this.#record(key, (await this.#probe(instance, readiness)) === undefined);
    } finally {
      this.#probing.delete(key);
    }
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

/**
 * Until the next probe. That a port is open tells little of a process that runs, and so many ports are most of what an idle server does: while
 * they are, they are tried a third as often, and once one is not, so much more often that it is found as soon on average.
 */
function waitMs({ probe, intervalMs }: ReadinessSpec, { failures }: Health): number {
  if (probe.kind !== 'tcp') return intervalMs;
  return failures > 0 ? intervalMs / 4 : intervalMs * 3;
}

/** A restart makes it another process, with nothing known. */
function keyOf(instance: ObservedInstance): string {
  return `${instance.id} ${instance.startedAt ?? ''}`;
}
