import type { EnvironmentId, NodeName, ObservedGeneration, ObservedInstance } from '@coppice/model';
import { doubledDelay } from '../doubled-delay.ts';
import type { Clock } from '../ports.ts';

const delays = { firstMs: 1_000, mostMs: 60_000 };
/** A node that ran so long without a crash begins anew. */
const calmMs = 120_000;

interface Crashes {
  readonly count: number;
  readonly last: string;
  readonly lastMs: number;
  readonly notBeforeMs: number;
  /** Ids of the crashed instances that were counted. */
  readonly seen: Set<string>;
}

/**
 * How long a node that crashes again and again waits for its next start: not at all after the first crash, then a second, doubled each
 * time, up to a minute. Kept per node, so that one that crashes holds up no other.
 */
export class RestartBackoff {
  readonly #clock: Clock;
  readonly #crashes = new Map<EnvironmentId, Map<NodeName, Crashes>>();
  readonly #onCrashes: (count: number) => void;

  /** `onCrashes` is told how many were counted. */
  constructor(clock: Clock, onCrashes: (count: number) => void = () => undefined) {
    this.#clock = clock;
    this.#onCrashes = onCrashes;
  }

  /** Counts crashes that were not counted yet, and answers the nodes that rest now. */
  rest(environment: EnvironmentId, generations: readonly ObservedGeneration[]): ReadonlySet<NodeName> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#crashes.get(environment) ?? new Map<NodeName, Crashes>();
    for (const { node, instances } of generations) {
      const crashed = instances.filter(({ state }) => state === 'exited');
      const before = known.get(node);
      const fresh = crashed.filter((instance) => before?.seen.has(keyOf(instance)) !== true);
      if (fresh.length > 0) this.#onCrashes(fresh.length);
      if (fresh.length > 0) known.set(node, counted(before, fresh, nowMs));
      else if (before && nowMs - before.lastMs > calmMs && crashed.length === 0) known.delete(node);
    }
    if (known.size > 0) this.#crashes.set(environment, known);
    else this.#crashes.delete(environment);
    return new Set([...known].filter(([, { notBeforeMs }]) => notBeforeMs > nowMs).map(([node]) => node));
  }

  /** Milliseconds until the first node that rests may start again; undefined where none does. */
  waitMs(environment: EnvironmentId): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const waits = [...(this.#crashes.get(environment)?.values() ?? [])]
      .map(({ notBeforeMs }) => notBeforeMs - nowMs)
      .filter((ms) => ms > 0);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** How often a node crashed lately, how the last one ended, and milliseconds until it starts again; null where it did not. */
  of(environment: EnvironmentId, node: NodeName): { readonly count: number; readonly last: string; readonly startsInMs: number } | null {
    const known = this.#crashes.get(environment)?.get(node);
    if (!known) return null;
    return { count: known.count, last: known.last, startsInMs: Math.max(0, known.notBeforeMs - this.#clock.monotonicMs()) };
  }

  /** A new release, or none any more: what crashed before says nothing. */
  forget(environment: EnvironmentId): void {
    this.#crashes.delete(environment);
  }
}

function counted(before: Crashes | undefined, fresh: readonly ObservedInstance[], nowMs: number): Crashes {
  const recent = before && nowMs - before.lastMs <= calmMs ? before : undefined;
  const count = (recent?.count ?? 0) + 1;
  const delayMs = count === 1 ? 0 : doubledDelay(count - 1, delays);
  const seen = new Set([...(recent?.seen ?? []), ...fresh.map(keyOf)].slice(-50));
  return { count, last: fresh.map(endOf).at(-1) ?? '', lastMs: nowMs, notBeforeMs: nowMs + delayMs, seen };
}

function endOf({ outOfMemory, exitCode }: ObservedInstance): string {
  return outOfMemory ? 'out of memory' : `exit code ${exitCode ?? 'unknown'}`;
}

/** A restart of the same container is another crash. */
function keyOf({ id, startedAt }: ObservedInstance): string {
  return `${id} ${startedAt ?? ''}`;
}
