import type { EngineListing } from '@coppice/engine';
import {
  type Digest,
  type EnvironmentSpec,
  type NodeName,
  nodeDigest,
  type ObservedEnvironment,
  type ObservedGeneration,
  type ObservedInstance,
} from '@coppice/model';
import type { Plan } from '@coppice/plan';
import type { Serving } from './environment-context.ts';

/** Which instances addresses and routes lead to while a plan runs. Starts with what serves before it, by what was observed. */
export class ServingSet {
  readonly #serving: Map<NodeName, ReadonlySet<string>>;
  /** Instances known to be ready: seen so before the plan, or by a step of it. */
  readonly #confirmed = new Set<string>();
  readonly #leaving: ReadonlySet<string>;

  constructor(start: { readonly plan: Plan; readonly observed: ObservedEnvironment; readonly previous: EnvironmentSpec | undefined }) {
    this.#leaving = new Set(start.plan.steps.flatMap((step) => (step.kind === 'remove-instances' ? step.instances : [])));
    this.#serving = servingBefore(start);
    for (const ids of this.#serving.values()) for (const id of ids) this.#confirmed.add(id);
    const unsure = new Set(start.plan.steps.flatMap((step) => (step.kind === 'await-ready' ? [`${step.node} ${step.digest}`] : [])));
    for (const generation of start.observed.generations) {
      if (!unsure.has(`${generation.node} ${generation.digest}`))
        for (const instance of sound(generation)) this.#confirmed.add(instance.id);
    }
  }

  /** Notes that an instance was seen ready. */
  confirm(id: string): void {
    this.#confirmed.add(id);
  }

  /** From now on the node is served by the ready instances of this generation, but for those the plan removes. */
  lead(listing: EngineListing, node: NodeName, digest: Digest): void {
    const generations = listing.generations.filter((generation) => generation.node === node && generation.digest === digest);
    const ready = generations
      .flatMap((generation) => generation.instances)
      .filter(({ id }) => this.#confirmed.has(id) && !this.#leaving.has(id));
    this.#serving.set(node, new Set(ready.map(({ id }) => id)));
  }

  /** Nothing leads to these any more. */
  drop(ids: Iterable<string>): void {
    const gone = new Set(ids);
    for (const [node, serving] of this.#serving) this.#serving.set(node, new Set([...serving].filter((id) => !gone.has(id))));
  }

  has(id: string): boolean {
    return [...this.#serving.values()].some((ids) => ids.has(id));
  }

  /** Those that serve and run. */
  of(listing: EngineListing): Serving {
    const view = new Map<NodeName, readonly ObservedInstance[]>();
    for (const [node, ids] of this.#serving) {
      const instances = listing.generations.flatMap((generation) => (generation.node === node ? generation.instances : []));
      const running = instances
        .filter((instance) => ids.has(instance.id) && instance.state === 'running')
        .sort((a, b) => a.index - b.index);
      if (running.length > 0) view.set(node, running);
    }
    return view;
  }
}

/** What served before a plan: the generation last served; else the one that is there, unless the plan has yet to see it ready. */
function servingBefore(start: {
  readonly plan: Plan;
  readonly observed: ObservedEnvironment;
  readonly previous: EnvironmentSpec | undefined;
}): Map<NodeName, ReadonlySet<string>> {
  const served = new Map((start.previous?.nodes ?? []).map((node) => [node.name, nodeDigest(node)]));
  const awaited = new Set(start.plan.steps.flatMap((step) => (step.kind === 'await-ready' ? [`${step.node} ${step.digest}`] : [])));
  const chosen = new Map<NodeName, ObservedGeneration>();
  for (const generation of start.observed.generations) {
    const { node, digest } = generation;
    const isServed = served.get(node) === digest;
    if (!isServed && awaited.has(`${node} ${digest}`)) continue;
    const known = chosen.get(node);
    if (!known || isServed || (served.get(node) !== known.digest && digest < known.digest)) chosen.set(node, generation);
  }
  return new Map([...chosen].map(([node, generation]) => [node, new Set(sound(generation).map(({ id }) => id))]));
}

function sound(generation: ObservedGeneration): readonly ObservedInstance[] {
  return generation.instances.filter((instance) => instance.state === 'running' && instance.readiness !== 'unready');
}
