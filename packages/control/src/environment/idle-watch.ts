import type { EnvironmentId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ChangeQueue } from '../change-queue.ts';
import type { Ports } from '../ports.ts';
import { laneOf } from '../push/deploy-push.ts';
import type { LiveDeclarations } from './live-declarations.ts';
import type { Sleeper } from './sleeper.ts';

interface Parts {
  readonly ports: Ports;
  readonly queue: ChangeQueue;
  readonly sleeper: Pick<Sleeper, 'suspend'>;
  readonly declarations: LiveDeclarations;
}

/**
 * Lets environments sleep that were not asked for anything for as long as `suspend_after` says, measured at the router. An open stream,
 * a request that waits, or a change of the environment is use. One that no route leads to never sleeps by itself.
 */
export class IdleWatch {
  readonly #parts: Parts;
  /** Since when nothing but requests could have been use. */
  readonly #quietSinceMs = new Map<EnvironmentId, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Looks once. */
  async look(): Promise<void> {
    const { ports, sleeper } = this.#parts;
    const limits = this.#limits();
    for (const id of this.#quietSinceMs.keys()) if (!limits.has(id)) this.#quietSinceMs.delete(id);
    if (limits.size === 0) return;
    const usage = await ports.router.usage();
    for (const [id, { environment, afterMs }] of limits) {
      const used = usage.get(id);
      if (!used || used.open > 0 || used.held > 0 || used.idleMs < afterMs || this.#quietMs(environment) < afterMs) continue;
      this.#quietSinceMs.delete(id);
      sleeper.suspend(environment, { actor: 'coppice', cause: `no request for ${Math.floor(used.idleMs / 1000)} s` });
    }
  }

  /** Environments that are awake and shall sleep when nobody asks. */
  #limits(): ReadonlyMap<EnvironmentId, { readonly environment: EnvironmentRecord; readonly afterMs: number }> {
    const { store } = this.#parts.ports;
    const limits = new Map<EnvironmentId, { environment: EnvironmentRecord; afterMs: number }>();
    for (const environment of store.environments.list()) {
      const { exists, run } = environment.desired;
      if (!exists || run !== 'up' || environment.live === undefined) continue;
      const afterMs = this.#parts.declarations.of(environment).suspendAfterMs;
      if (afterMs !== undefined) limits.set(environment.id, { environment, afterMs });
    }
    return limits;
  }

  #quietMs({ id, project, branch }: EnvironmentRecord): number {
    const nowMs = this.#parts.ports.clock.monotonicMs();
    const since = this.#quietSinceMs.get(id);
    if (since === undefined || this.#parts.queue.busy(laneOf(project, branch))) {
      this.#quietSinceMs.set(id, nowMs);
      return 0;
    }
    return nowMs - since;
  }
}
