import type { Engine } from '@coppice/engine';
import { type Digest, type ListedInstance, type NetworkPolicy, type NodeName, routeTableDigest } from '@coppice/model';
import type { Router } from '@coppice/router';
import { coalesced } from './coalesced.ts';
import type { EnvironmentWork, NetworkNow, RoutesNow } from './environment-work.ts';

export interface NetworkKeeperParts {
  readonly engine: Pick<Engine, 'members' | 'applyPolicy'>;
  readonly router: Pick<Router, 'apply' | 'current'>;
  readonly work: EnvironmentWork;
  readonly serving: ReadonlyMap<NodeName, Digest>;
  /** Whether the plan wants this running instance gone, though its generation stays. */
  readonly isSurplus: (node: NodeName, digest: Digest, instance: ListedInstance) => boolean;
}

/**
 * Keeps addresses and routes true to what serves while a plan is applied. Nothing leads to an instance that was started and not seen
 * ready yet, nor to one that is about to go; what they may reach themselves stays open.
 */
export class NetworkKeeper {
  readonly #parts: NetworkKeeperParts;
  readonly #serving: Map<NodeName, Digest>;
  readonly #withheld = new Set<string>();
  /** Generations that are being started: the instances of each that ran before. */
  readonly #expected = new Map<string, ReadonlySet<string>>();
  readonly #admitted = new Set<string>();
  /** Looks what runs and swaps the policy; calls at the same time share one. */
  readonly apply: () => Promise<void>;
  #prepared: Promise<void> | undefined;
  #called: ReadonlySet<NodeName> | undefined;
  #held: ReadonlySet<NodeName> = new Set();
  #routing: Promise<void> = Promise.resolve();

  constructor(parts: NetworkKeeperParts) {
    this.#parts = parts;
    this.#serving = new Map(parts.serving);
    this.apply = coalesced(() => this.#swapPolicy());
  }

  /** Applies the policy once: the engine then lets new instances in by it, before their processes run. */
  async prepare(): Promise<void> {
    this.#prepared ??= this.apply();
    await this.#prepared;
  }

  /** The same ahead of time, where there is a network already. */
  async prepareIfThere(): Promise<void> {
    const { engine, work } = this.#parts;
    if (this.#prepared || (await engine.members(work.environment)).network) await this.prepare();
  }

  /** Swaps the policy, where there is a network. */
  async applyIfThere(): Promise<void> {
    const { engine, work } = this.#parts;
    if ((await engine.members(work.environment)).network) await this.apply();
  }

  /** Leads a node's stable address to a generation. */
  async serve(node: NodeName, digest: Digest): Promise<void> {
    this.#serving.set(node, digest);
    await this.apply();
  }

  /** Whether the policy that was applied last lets any node reach this one by its stable address. */
  isCalled(node: NodeName): boolean {
    return this.#called?.has(node) ?? true;
  }

  /** Lets nothing lead to these from the next swap on. */
  withhold(ids: Iterable<string>): void {
    for (const id of ids) this.#withheld.add(id);
  }

  /** Lets nothing lead to instances of a generation that come from now on, those of `running` aside. */
  expect(node: NodeName, digest: Digest, running: ReadonlySet<string>): void {
    this.#expected.set(`${node} ${digest}`, running);
  }

  /** These were seen ready. */
  admit(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#withheld.delete(id);
      this.#admitted.add(id);
    }
  }

  /** Takes instances of a serving generation out of addresses and routes, before they are stopped. */
  async retract(node: NodeName, digest: Digest, ids: readonly string[]): Promise<void> {
    if (this.#serving.get(node) !== digest) return;
    const before = routeTableDigest(this.#parts.work.routes(await this.#routesNow()));
    this.withhold(ids);
    if (routeTableDigest(this.#parts.work.routes(await this.#routesNow())) !== before) await this.switchRoutes('where there are some');
  }

  /** Lets requests at these nodes' routes wait, until `release`. */
  async hold(nodes: Iterable<NodeName>): Promise<void> {
    this.#held = new Set(nodes);
    await this.switchRoutes();
  }

  /** Swaps the route table to what serves; nothing waits any more. */
  async release(): Promise<void> {
    this.#held = new Set();
    await this.switchRoutes();
  }

  /** Swaps the route table to what serves, one swap at a time; does nothing where that is served already. */
  switchRoutes(when: 'always' | 'where there are some' = 'always'): Promise<void> {
    const swap = this.#routing.then(() => this.#swapRoutes(when));
    this.#routing = swap.catch(() => undefined); // whoever asked for it hears of its failure
    return swap;
  }

  async #swapRoutes(when: 'always' | 'where there are some'): Promise<void> {
    const { router, work } = this.#parts;
    const [now, tables] = await Promise.all([this.#routesNow(), router.current()]);
    const table = work.routes(now);
    const served = tables.get(work.environment);
    const isThere = served === routeTableDigest(table) || (served === undefined && table.entries.length === 0);
    if (isThere || (served === undefined && when === 'where there are some')) return;
    await router.apply(work.environment, table);
  }

  async #swapPolicy(): Promise<void> {
    const { engine, work } = this.#parts;
    const now = await this.#now();
    const hidden = new Set(this.#hidden(now).flatMap((instance) => instance.address ?? []));
    const policy = work.policy(now);
    this.#called = new Set(policy.edges.map((edge) => edge.to));
    await engine.applyPolicy(work.environment, hidden.size === 0 ? policy : withoutServing(policy, hidden));
  }

  async #now(): Promise<NetworkNow> {
    const listing = await this.#parts.engine.members(this.#parts.work.environment);
    const jobs = new Map<NodeName, readonly string[]>();
    for (const job of listing.jobs) {
      if (job.state === 'running' && job.address !== undefined) jobs.set(job.node, [...(jobs.get(job.node) ?? []), job.address]);
    }
    return { generations: listing.generations, serving: new Map(this.#serving), jobs };
  }

  async #routesNow(): Promise<RoutesNow> {
    const now = await this.#now();
    const hidden = new Set(this.#hidden(now).map(({ id }) => id));
    const generations = now.generations.map((generation) => {
      return { ...generation, instances: generation.instances.filter(({ id }) => !hidden.has(id)) };
    });
    return { ...now, generations, held: this.#held };
  }

  #hidden({ generations }: NetworkNow): readonly ListedInstance[] {
    const { isSurplus } = this.#parts;
    return generations.flatMap(({ node, digest, instances }) => {
      const before = this.#expected.get(`${node} ${digest}`);
      const isAwaited = (id: string): boolean => before !== undefined && !before.has(id) && !this.#admitted.has(id);
      return instances.filter((instance) => this.#withheld.has(instance.id) || isAwaited(instance.id) || isSurplus(node, digest, instance));
    });
  }
}

function withoutServing(policy: NetworkPolicy, hidden: ReadonlySet<string>): NetworkPolicy {
  const nodes = policy.nodes.map((node) => ({ ...node, serving: node.serving.filter((address) => !hidden.has(address)) }));
  return { ...policy, nodes };
}
