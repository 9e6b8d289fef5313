/** A directed graph of ids: each id and the ids that come before it. Knows no domain. Ids that are not keys are ignored. */
export type Graph<Id extends string = string> = ReadonlyMap<Id, Iterable<Id>>;

export interface Ordering<Id extends string = string> {
  /** Every id after all that come before it; ids that are free at the same time keep the order of the graph's keys. */
  readonly order: readonly Id[];
  /** Ids on a cycle or behind one; empty for an acyclic graph. */
  readonly blocked: readonly Id[];
}

/** Kahn's algorithm, iterative: linear in ids and edges, whatever the depth. Equal graphs in equal key order give equal orders. */
export function topologicalOrder<Id extends string>(graph: Graph<Id>): Ordering<Id> {
  const waiting = new Map<Id, number>();
  const behind = new Map<Id, Id[]>();
  const order: Id[] = [];
  for (const [id, before] of graph) {
    let count = 0;
    for (const other of before) {
      if (!graph.has(other)) continue;
      const list = behind.get(other);
      if (list) list.push(id);
      else behind.set(other, [id]);
      count += 1;
    }
    if (count === 0) order.push(id);
    else waiting.set(id, count);
  }
  for (let next = 0; next < order.length; next += 1) {
    for (const id of behind.get(order[next] as Id) ?? []) {
      const count = (waiting.get(id) ?? 0) - 1;
      waiting.set(id, count);
      if (count > 0) continue;
      waiting.delete(id);
      order.push(id);
    }
  }
  return { order, blocked: [...waiting.keys()] };
}

/**
 * One cycle of the graph, each id depending on the next and the last on the first, starting with its least id; undefined where there
 * is none. `['a', 'b']`: b comes before a, and a before b.
 */
export function findCycle<Id extends string>(graph: Graph<Id>): readonly Id[] | undefined {
  const { blocked } = topologicalOrder(graph);
  const [first] = blocked;
  if (first === undefined) return undefined;
  const inside = new Set(blocked);
  const seen = new Map<Id, number>();
  const walk: Id[] = [];
  // Each blocked id waits for a blocked one, so the walk must meet itself.
  for (let id = first; !seen.has(id); ) {
    seen.set(id, walk.length);
    walk.push(id);
    for (const before of graph.get(id) ?? []) {
      if (!inside.has(before)) continue;
      id = before;
      break;
    }
  }
  const last = walk[walk.length - 1] as Id;
  const entry = [...(graph.get(last) ?? [])].find((before) => inside.has(before)) as Id;
  return leastFirst(walk.slice(seen.get(entry)));
}

function leastFirst<Id extends string>(cycle: readonly Id[]): readonly Id[] {
  let least = 0;
  for (let index = 1; index < cycle.length; index += 1) if ((cycle[index] as Id) < (cycle[least] as Id)) least = index;
  return [...cycle.slice(least), ...cycle.slice(0, least)];
}
