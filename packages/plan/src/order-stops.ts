import type { Digest, NodeName, ObservedGeneration } from '@coppice/model';
import type { NodeWork } from './node-work.ts';
import type { MaybeId, StepList } from './step-list.ts';

/** What of one node is to be stopped. */
export interface NodeStop {
  readonly node: NodeName;
  readonly generations: readonly ObservedGeneration[];
}

/** What is to be stopped first or last, of the nodes of which something is. */
export function stopsOf(works: readonly NodeWork[], when: 'stopFirst' | 'stopLast'): readonly NodeStop[] {
  return works.flatMap((work) => (work[when].length > 0 ? [{ node: work.node, generations: work[when] }] : []));
}

/** What each node needs, by the relationships that are meant. */
export type Relations = ReadonlyMap<NodeName, readonly NodeName[]>;

/**
 * Adds a stop for each generation that `works` want stopped, dependants before their dependencies. `before` adds and names what a
 * stop must wait for besides. Answers the stops by node.
 */
export function orderStops(
  list: StepList,
  stopping: {
    readonly works: readonly NodeStop[];
    readonly relations: Relations;
    readonly before: (node: NodeName, digest: Digest) => readonly MaybeId[];
  },
): ReadonlyMap<NodeName, readonly string[]> {
  const stops = new Map<NodeName, readonly string[]>();
  for (const { node, generations } of stopping.works) {
    const digests = [...new Set(generations.map((generation) => generation.digest))].sort();
    stops.set(
      node,
      digests.map((digest) => list.add({ kind: 'stop', node, digest }, stopping.before(node, digest))),
    );
  }
  for (const [node, ids] of stops) {
    for (const needed of stopping.relations.get(node) ?? []) for (const id of stops.get(needed) ?? []) list.order(id, ids);
  }
  return stops;
}
