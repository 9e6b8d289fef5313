import type { Digest, EnvironmentId, JobKey, NetworkPolicy, NodeName, ObservedInstance, ObservedJob } from '@coppice/model';
import { CoppiceError } from '@coppice/model';
import type { EngineListing, EnvironmentNetwork, GenerationRef, LogLine, RunSpec } from '../engine.ts';
import { AddressReservations } from '../network/address-reservations.ts';
import type { OnEffect, SimulatedBehaviour, SimulatedEffect, SimulatedSight } from './simulated-behaviour.ts';

/** A container of the simulation. */
export interface SimulatedContainer {
  readonly id: string;
  readonly environment: EnvironmentId;
  readonly node: NodeName;
  readonly owner:
    | { readonly kind: 'instance'; readonly ref: GenerationRef; readonly index: number }
    | { readonly kind: 'job'; readonly key: JobKey }
    /** Another server's: in no listing, and nothing we do touches it. */
    | { readonly kind: 'foreign' };
  readonly deployment: string;
  readonly address: string;
  readonly run: RunSpec;
  readonly behaviour: SimulatedBehaviour;
  state: 'created' | 'running' | 'exited';
  frozen: boolean;
  exitCode: number | undefined;
  outOfMemory: boolean;
  startedAt: string | undefined;
  cpu: number;
  memoryBytes: number;
  probes: number;
  readonly log: LogLine[];
}

/** What the simulated engine holds: it outlives any control plane that looks at it. */
export class SimulatedWorld {
  readonly containers = new Map<string, SimulatedContainer>();
  readonly networks = new Map<EnvironmentId, EnvironmentNetwork>();
  readonly policies = new Map<EnvironmentId, NetworkPolicy>();
  readonly images = new Set<Digest>();
  readonly effects: SimulatedEffect[] = [];
  readonly reservations = new AddressReservations();
  onEffect: OnEffect = () => undefined;
  readonly #watchers = new Set<(environment: EnvironmentId) => void>();
  #containersMade = 0;
  #networksMade = 0;
  #ticks = 0;
  readonly #clock: (() => Date) | undefined;

  /** `clock`: what time it is; without it, each look is a second later. */
  constructor(clock?: () => Date) {
    this.#clock = clock;
  }

  /** Does `work` between the two calls of the seam. */
  async effect<Result>(effect: SimulatedEffect, work: () => Result): Promise<Result> {
    await this.onEffect(effect, 'before');
    const result = work();
    this.effects.push(effect);
    if (effect.environment !== undefined) this.hint(effect.environment);
    await this.onEffect(effect, 'after');
    return result;
  }

  /** An id that looks like the engine's. */
  nextId(): string {
    this.#containersMade += 1;
    return this.#containersMade.toString(16).padStart(64, '0');
  }

  /** A time of the virtual clock. */
  now(): string {
    if (this.#clock) return this.#clock().toISOString();
    this.#ticks += 1;
    return new Date(Date.UTC(2026, 0, 1) + this.#ticks * 1000).toISOString();
  }

  /** Subnets of the next environment. */
  nextNetwork(): EnvironmentNetwork {
    this.#networksMade += 1;
    return { subnet: `10.208.${this.#networksMade}.0/24`, addressBlock: `10.216.${this.#networksMade}.0/24` };
  }

  /** Whether a container is made of the image. */
  isUsed(image: Digest): boolean {
    return [...this.containers.values()].some(({ run }) => run.image.config === image);
  }

  /** Ends a process. */
  end(container: SimulatedContainer, exitCode: number, outOfMemory: boolean): void {
    container.state = 'exited';
    container.frozen = false;
    container.exitCode = exitCode;
    container.outOfMemory = outOfMemory;
    this.hint(container.environment);
  }

  hint(environment: EnvironmentId): void {
    for (const watcher of [...this.#watchers]) watcher(environment);
  }

  /** Calls `watcher` at every change until the returned function is called. */
  watch(watcher: (environment: EnvironmentId) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  of(environment: EnvironmentId): readonly SimulatedContainer[] {
    return [...this.containers.values()].filter((container) => container.environment === environment && container.owner.kind !== 'foreign');
  }

  /** `not-found` where there is none of that id. */
  container(id: string): SimulatedContainer {
    const found = this.containers.get(id);
    if (found === undefined) throw new CoppiceError('not-found', `there is no instance ${id.slice(0, 12)} any more`);
    return found;
  }

  /** All that is there, by environment, in a fixed order. */
  listings(): Map<EnvironmentId, EngineListing> {
    const names = new Set<EnvironmentId>([
      ...this.networks.keys(),
      ...[...this.containers.values()].flatMap(({ environment, owner }) => (owner.kind === 'foreign' ? [] : [environment])),
    ]);
    return new Map([...names].sort().map((name) => [name, this.listing(name)]));
  }

  listing(environment: EnvironmentId): EngineListing {
    const generations = new Map<string, { ref: GenerationRef; deployment: string; instances: ObservedInstance[] }>();
    const jobs: ObservedJob[] = [];
    for (const container of this.of(environment)) {
      if (container.owner.kind === 'job') {
        jobs.push(observeJob(container, container.owner.key));
        continue;
      }
      if (container.owner.kind === 'foreign') continue;
      const { ref, index } = container.owner;
      const key = `${ref.node} ${ref.digest}`;
      const generation = generations.get(key) ?? { ref, deployment: container.deployment, instances: [] };
      generation.instances.push(observeInstance(container, index));
      generations.set(key, generation);
    }
    return {
      network: this.networks.has(environment),
      ...(this.of(environment).some(({ frozen }) => frozen) ? { frozen: true } : {}),
      generations: [...generations.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { ref, deployment, instances }]) => ({
          node: ref.node,
          digest: ref.digest,
          deployment: deployment as JobKey['deployment'],
          instances: instances.sort((a, b) => a.index - b.index),
        })),
      jobs: jobs.sort((a, b) => (jobOrder(a) < jobOrder(b) ? -1 : 1)),
    };
  }
}

function jobOrder(job: JobKey): string {
  return `${job.node} ${job.deployment} ${job.hook}`;
}

/** The instance as the port shows it. */
export function observeInstance(container: SimulatedContainer, index: number): ObservedInstance {
  const { id, state, exitCode, outOfMemory, cpu, memoryBytes, startedAt } = container;
  const address = state === 'running' ? container.address : undefined;
  return { id, index, state, address, exitCode, outOfMemory, cpu, memoryBytes, startedAt, readiness: 'unknown' };
}

/** The job as the port shows it. */
export function observeJob(container: SimulatedContainer, key: JobKey): ObservedJob {
  const { id, state, exitCode, outOfMemory } = container;
  const address = state === 'running' ? container.address : undefined;
  return { deployment: key.deployment, node: key.node, hook: key.hook, id, state, address, exitCode, outOfMemory };
}

/** All of a container that a test may look at. */
export function sightOf(container: SimulatedContainer): SimulatedSight {
  const { id, environment, node, state, frozen, exitCode, behaviour, probes, run } = container;
  const ready = state === 'running' && probes > (behaviour.readyAfterProbes ?? 0);
  const hostPaths = run.mounts.map(({ hostPath }) => hostPath);
  return { id, environment, node, what: whatOf(container), state, frozen, exitCode, ready, hostPaths };
}

function whatOf({ owner }: SimulatedContainer): SimulatedSight['what'] {
  if (owner.kind === 'instance') return { kind: 'instance', digest: owner.ref.digest, index: owner.index };
  return owner.kind === 'job' ? { kind: 'job', hook: owner.key.hook } : { kind: 'foreign' };
}

/** `web.0`, or `web deploy`. */
export function nameOf(container: Pick<SimulatedContainer, 'node' | 'owner'>): string {
  const { owner, node } = container;
  if (owner.kind === 'foreign') return `${node} (foreign)`;
  return owner.kind === 'job' ? `${node} ${owner.key.hook}` : `${node}.${owner.index}`;
}
