import { CoppiceError, type EnvironmentId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import { doubledDelay } from '../doubled-delay.ts';
import { pause } from '../pause.ts';
import type { Ports } from '../ports.ts';
import { laneOf } from '../push/deploy-push.ts';
import type { HealthMonitor } from './health-monitor.ts';
import { ReconcileLag } from './reconcile-lag.ts';
import type { Reconciler } from './reconciler.ts';
import { RouteWatch } from './route-watch.ts';

interface Parts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly queue: ChangeQueue;
  readonly reconciler: Reconciler;
  readonly health: HealthMonitor;
}

/** Within it every environment has its turn: what neither a hint nor a probe tells is found by it. */
const resyncMs = 300_000;
/** How often it is seen whose probe is due. */
const probeMs = 1_000;
/** How often it is seen whether the router serves what it was told. */
const routesMs = 4_000;
const retries = { firstMs: 1_000, mostMs: 60_000 };

interface Retry {
  readonly failures: number;
  readonly notBeforeMs: number;
}

/**
 * The loop: looks at every environment at start, when the engine hints that something changed, and from time to time; repairs what is
 * not as desired. Level-triggered: a hint only says where to look. Failures back off per environment and never hold up others.
 */
export class Loop {
  readonly #parts: Parts;
  readonly #stop = new AbortController();
  readonly #retries = new Map<EnvironmentId, Retry>();
  readonly #pending = new Set<EnvironmentId>();
  readonly lag: ReconcileLag;
  #started = false;
  #timer: NodeJS.Timeout | undefined;
  /** Whose turn is still to come in this resync, and the time between two turns. */
  #round: EnvironmentId[] = [];
  #gapMs = resyncMs;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.lag = new ReconcileLag(parts.ports);
  }

  start(): void {
    this.#started = true;
    this.#lookAtAll();
    this.#takeTurns();
    void this.#follow();
    void this.#probe();
    void this.#watchRoutes();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  /** Throws `conflict` where it does not look: before its start and after its stop. */
  check(): void {
    if (!this.#started) throw new CoppiceError('conflict', 'it has not started yet');
    if (this.#stop.signal.aborted) throw new CoppiceError('conflict', 'it was stopped');
  }

  /** Asks for a look at one environment soon; many asks are one look. */
  look(id: EnvironmentId): void {
    if (this.#pending.has(id) || this.#stop.signal.aborted) return;
    const environment = this.#parts.ports.store.environments.get(id);
    if (!environment) return;
    const lane = laneOf(environment.project, environment.branch);
    this.#pending.add(id);
    this.lag.asked(id);
    const waitMs = Math.max(0, (this.#retries.get(id)?.notBeforeMs ?? 0) - this.#parts.ports.clock.monotonicMs());
    setTimeout(() => void this.#repair(environment, lane), waitMs).unref();
  }

  /** Probes what runs, each instance at its own interval; looks where one turned. */
  async #probe(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await pause(probeMs, this.#stop.signal);
      void this.#parts.health.probeDue((id) => this.look(id));
    }
  }

  /** Looks where the routes are not as they were: nobody hints at that. */
  async #watchRoutes(): Promise<void> {
    const { ports } = this.#parts;
    const watch = new RouteWatch(ports.router);
    while (!this.#stop.signal.aborted) {
      await pause(routesMs, this.#stop.signal);
      try {
        for (const id of await watch.changed()) this.look(id);
      } catch (error) {
        ports.log('routes.unknown', { error: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  /** The same after so many milliseconds. */
  lookIn(id: EnvironmentId, ms: number): void {
    setTimeout(() => this.look(id), ms).unref();
  }

  #lookAtAll(): void {
    for (const environment of this.#parts.ports.store.environments.list()) this.look(environment.id);
  }

  /** One environment after the other, all of them once per resync: looking at all at once would need memory for all at once. */
  #takeTurns(): void {
    if (this.#round.length === 0) {
      this.#round = this.#parts.ports.store.environments.list().map(({ id }) => id);
      this.#gapMs = resyncMs / Math.max(1, this.#round.length);
    }
    const next = this.#round.shift();
    if (next) this.look(next);
    this.#timer = setTimeout(() => this.#takeTurns(), this.#gapMs);
    this.#timer.unref();
  }

  async #repair(environment: EnvironmentRecord, lane: string): Promise<void> {
    const { queue, reconciler, ports } = this.#parts;
    try {
      await queue.run(lane, 'other', async () => {
        this.#pending.delete(environment.id);
        if (this.#stop.signal.aborted) return;
        ports.measure?.({ kind: 'look' });
        const againMs = await reconciler.repair(environment.id, this.#stop.signal);
        if (!reconciler.rests(environment.id)) this.lag.settled(environment.id);
        if (againMs !== undefined) this.lookIn(environment.id, againMs);
      });
      this.#retries.delete(environment.id);
    } catch (error) {
      const failures = (this.#retries.get(environment.id)?.failures ?? 0) + 1;
      const delayMs = doubledDelay(failures, retries);
      this.#retries.set(environment.id, { failures, notBeforeMs: ports.clock.monotonicMs() + delayMs });
      ports.log('repair.failed', { environment: environment.id, failures, nextInMs: delayMs, error });
      this.#parts.activities.failures.add(error);
      this.look(environment.id);
    }
  }

  /** Listens for hints; lists again after every reconnect, since hints may have been missed. */
  async #follow(): Promise<void> {
    const { ports } = this.#parts;
    while (!this.#stop.signal.aborted) {
      try {
        for await (const id of ports.engine.hints(this.#stop.signal)) this.look(id);
      } catch (error) {
        ports.log('hints.lost', { error });
      }
      await pause(retries.firstMs, this.#stop.signal);
      if (!this.#stop.signal.aborted) this.#lookAtAll();
    }
  }
}
