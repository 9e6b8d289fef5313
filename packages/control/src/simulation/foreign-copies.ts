import { type EnvironmentId, type NodeName, type NodeSpec, nodeDigest, type SnapshotId } from '@coppice/model';
import type { Replacement } from '@coppice/volumes';
import { liveOf } from '../history/find.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** Data that nobody may see before a job took out of it what must not be seen. */
export interface Demand {
  /** As the release has it whose data it is. */
  readonly sanitizer: NodeSpec;
  /** All nodes of that release. */
  readonly nodes: readonly NodeSpec[];
}

interface Copy {
  readonly environment: EnvironmentId;
  /** What the copied environment demands of whoever else gets it. */
  readonly demand: Demand | undefined;
  /** The copied data was itself closed. */
  readonly closed: Demand | undefined;
}

/** Follows foreign data from copy to set: which sets are closed by what they hold, whatever the control plane believes. */
export class ForeignCopies {
  readonly #server: SimulatedServer;
  readonly #copies = new Map<SnapshotId, Copy>();
  readonly #closed = new Map<EnvironmentId, Demand>();

  constructor(server: SimulatedServer) {
    this.#server = server;
  }

  /** Environments that hold what was not sanitised. */
  get closed(): ReadonlyMap<EnvironmentId, Demand> {
    return this.#closed;
  }

  /** A set was copied, or put aside while another takes its place. */
  copied(environment: EnvironmentId, id: SnapshotId): void {
    this.#copies.set(id, { environment, demand: this.#demandOf(environment), closed: this.#closed.get(environment) });
  }

  /** A set went into the trash: when it comes back, it is nobody else's. */
  putAside(environment: EnvironmentId, id: SnapshotId): void {
    this.#copies.set(id, { environment, demand: undefined, closed: this.#closed.get(environment) });
    this.#closed.delete(environment);
  }

  /** A copy became the set of an environment; `hadSet`: what was there is kept. */
  replaced({ environment, from, aside }: Replacement, hadSet: boolean): void {
    if (hadSet) this.copied(environment, aside);
    const copy = this.#copies.get(from);
    const demand = copy?.closed ?? (copy?.environment === environment ? undefined : copy?.demand);
    if (demand) this.#closed.set(environment, demand);
    else this.#closed.delete(environment);
  }

  /** What must not be seen was taken out of it, or there is no set any more. */
  opened(environment: EnvironmentId): void {
    this.#closed.delete(environment);
  }

  #demandOf(id: EnvironmentId): Demand | undefined {
    const { store } = this.#server.ports;
    const environment = store.environments.get(id);
    const live = environment && liveOf(store, environment);
    const wanted = live?.release.data.sanitize;
    const sanitizer = wanted && live.spec.nodes.find(({ name }) => name === wanted.node);
    return sanitizer && { sanitizer, nodes: live.spec.nodes };
  }
}

/**
 * Nodes of those desired that the job needs, through any number of others, and that run no code of the branch: only they may run before it
 * is done.
 */
export function neededBy({ sanitizer, nodes: demanding }: Demand, nodes: readonly NodeSpec[]): ReadonlySet<NodeName> {
  const needed = new Set<NodeName>();
  const known = new Set(demanding.map(nodeDigest));
  const isTrusted = (spec: NodeSpec): boolean => known.has(nodeDigest(spec)) || (spec.kind === 'service' && spec.trace.type !== 'image');
  const add = (spec: NodeSpec | undefined): void => {
    for (const { node } of spec?.relationships ?? []) if (nodes.some((other) => other.name === node && isTrusted(other))) needed.add(node);
  };
  add(sanitizer);
  for (const name of needed) add(nodes.find((node) => node.name === name));
  return needed;
}
