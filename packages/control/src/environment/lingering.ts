import type { GenerationRef } from '@coppice/engine';
import { type Desired, type EnvironmentId, nodeDigest, type ObservedEnvironment, type ObservedGeneration } from '@coppice/model';
import { dataChangeOf } from '@coppice/plan';
import type { Router } from '@coppice/router';
import type { Clock } from '../ports.ts';

/** How long an old instance stays for streams that are open on it. */
const deadlineMs = 60_000;
/** Of one node at once: more deployments in a row than these cost memory. */
const mostPerNode = 2;
/** Between two looks whether the streams have ended by themselves. */
const lookMs = 5_000;

interface Entry extends Pick<GenerationRef, 'node' | 'digest'> {
  readonly untilMs: number;
}

/**
 * Generations that were replaced and still have open requests: streams and WebSockets stay on the old instances until a deadline, then
 * their stop ends them. They hold up no deployment: until then the plan does not see them.
 */
export class Lingering {
  readonly #router: Pick<Router, 'openRequests'>;
  readonly #clock: Clock;
  readonly #entries = new Map<EnvironmentId, readonly Entry[]>();

  constructor(router: Pick<Router, 'openRequests'>, clock: Clock) {
    this.#router = router;
    this.#clock = clock;
  }

  /** What becomes of a generation that is replaced and has open requests: `stay`, or `go` where it had its time. */
  ask({ environment, node, digest }: GenerationRef): 'stay' | 'go' {
    const nowMs = this.#clock.monotonicMs();
    const entries = this.#entries.get(environment) ?? [];
    const known = entries.find((entry) => entry.node === node && entry.digest === digest);
    if (known) return known.untilMs > nowMs ? 'stay' : 'go';
    const others = entries.filter((entry) => entry.node !== node);
    const own = [...entries.filter((entry) => entry.node === node), { node, digest, untilMs: nowMs + deadlineMs }];
    const tooMany = own.length - mostPerNode;
    this.#entries.set(environment, [...others, ...own.map((entry, index) => (index < tooMany ? { ...entry, untilMs: nowMs } : entry))]);
    return 'stay';
  }

  /**
   * The world without the generations that linger now. One that is desired again, or has no open request any more, lingers no longer; none does
   * where the data is about to change, since it may mount some.
   */
  async hide(id: EnvironmentId, desired: Desired, observed: ObservedEnvironment): Promise<ObservedEnvironment> {
    const entries = this.#entries.get(id);
    if (!entries) return observed;
    const there = entries.filter((entry) => observed.generations.some((generation) => isOf(entry, generation)));
    const nowMs = this.#clock.monotonicMs();
    const kept: Entry[] = [];
    for (const entry of there) {
      if (isDesired(desired, entry)) continue;
      const stays =
        desired.exists &&
        desired.run === 'up' &&
        !changesData(desired, observed) &&
        entry.untilMs > nowMs &&
        (await this.#isOpen(entry, observed));
      kept.push(stays ? entry : { ...entry, untilMs: nowMs });
    }
    if (kept.length > 0) this.#entries.set(id, kept);
    else this.#entries.delete(id);
    const lingers = (generation: ObservedGeneration): boolean => kept.some((entry) => entry.untilMs > nowMs && isOf(entry, generation));
    return { ...observed, generations: observed.generations.filter((generation) => !lingers(generation)) };
  }

  /** Milliseconds until the next look at them; undefined where none lingers. */
  waitMs(environment: EnvironmentId): number | undefined {
    const entries = this.#entries.get(environment);
    if (!entries) return undefined;
    const nextMs = Math.min(...entries.map(({ untilMs }) => untilMs)) - this.#clock.monotonicMs();
    return Math.min(lookMs, Math.max(0, nextMs));
  }

  forget(environment: EnvironmentId): void {
    this.#entries.delete(environment);
  }

  async #isOpen(entry: Entry, { generations }: ObservedEnvironment): Promise<boolean> {
    const instances = generations.filter((generation) => isOf(entry, generation)).flatMap((generation) => generation.instances);
    for (const { id, state } of instances) if (state === 'running' && (await this.#router.openRequests(id)) > 0) return true;
    return false;
  }
}

function changesData(desired: Desired, observed: ObservedEnvironment): boolean {
  const change = dataChangeOf({ desired, observed });
  return change !== undefined && (change.switch !== undefined || change.moves.length > 0);
}

function isOf(entry: Entry, generation: ObservedGeneration): boolean {
  return entry.node === generation.node && entry.digest === generation.digest;
}

function isDesired({ exists, run, spec }: Desired, entry: Entry): boolean {
  const node = exists && run === 'up' ? spec?.nodes.find(({ name }) => name === entry.node) : undefined;
  return node !== undefined && nodeDigest(node) === entry.digest;
}
