import type { NodeName, NodeSpec } from '@coppice/model';
import { keptMounts } from './data-change.ts';

/** Volumes that go from several holders to one that has to be alone, or from such a one to several: a worker shares its application's. */
export interface Handover {
  /** Nodes that let go of a volume that somebody else shall hold alone. */
  readonly leaving: ReadonlySet<NodeName>;
  /** By node: those that must be gone before it starts. */
  readonly waitsFor: ReadonlyMap<NodeName, readonly NodeName[]>;
}

interface Holders {
  readonly before: Set<NodeName>;
  readonly after: Set<NodeName>;
  /** The node that is to be alone with it. */
  alone: { readonly before?: NodeName; readonly after?: NodeName };
}

const nothing: Handover = { leaving: new Set(), waitsFor: new Map() };

/** What has to go before what, beyond each node's own generations. `served`: as it was, `desired`: as it shall be. */
export function handoverOf(served: Iterable<NodeSpec>, desired: Iterable<NodeSpec>): Handover {
  const [before, after] = [[...served], [...desired]];
  // Whoever is alone on all its volumes waits for nobody else.
  if (![...before, ...after].some(({ mounts }) => mounts.some((mount) => mount.node !== undefined))) return nothing;
  const leaving = new Set<NodeName>();
  const waitsFor = new Map<NodeName, readonly NodeName[]>();
  const wait = (node: NodeName, others: readonly NodeName[]): void => {
    if (others.length > 0) waitsFor.set(node, [...(waitsFor.get(node) ?? []), ...others]);
  };
  const needed = new Set(before.flatMap(({ relationships }) => relationships.map(({ node }) => node)));
  for (const { before: old, after: next, alone } of holdersOf(before, after).values()) {
    if (alone.after !== undefined) {
      const others = [...old].filter((node) => node !== alone.after && !next.has(node) && !needed.has(node));
      for (const node of others) leaving.add(node);
      wait(alone.after, others);
    }
    if (alone.before !== undefined) for (const node of next) if (node !== alone.before) wait(node, [alone.before]);
  }
  return { leaving, waitsFor };
}

function holdersOf(before: readonly NodeSpec[], after: readonly NodeSpec[]): ReadonlyMap<string, Holders> {
  const volumes = new Map<string, Holders>();
  for (const [when, nodes] of [['before', before] as const, ['after', after] as const]) {
    for (const spec of nodes) {
      for (const mount of keptMounts(spec)) {
        const key = `${mount.node ?? spec.name} ${mount.volume}`;
        const holders = volumes.get(key) ?? { before: new Set(), after: new Set(), alone: {} };
        holders[when].add(spec.name);
        if (mount.exclusive) holders.alone = { ...holders.alone, [when]: spec.name };
        volumes.set(key, holders);
      }
    }
  }
  return volumes;
}
