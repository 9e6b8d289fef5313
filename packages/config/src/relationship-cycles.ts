import type { PlacedRelationship } from './read-relationships.ts';
import type { Report } from './report.ts';

/**
 * Reports every ring of relationships once, by its names in order: `a → b → c → a`. A node that is in a ring already told of is
 * not the start of another. Iterative, linear in relationships.
 */
export function checkCycles(graph: ReadonlyMap<string, readonly PlacedRelationship[]>, report: Report): void {
  const state = new Map<string, 'open' | 'done'>();
  for (const start of graph.keys()) if (!state.has(start)) walk(start, graph, state, report);
}

interface Frame {
  readonly node: string;
  next: number;
}

function walk(
  start: string,
  graph: ReadonlyMap<string, readonly PlacedRelationship[]>,
  state: Map<string, 'open' | 'done'>,
  report: Report,
): void {
  const path: Frame[] = [{ node: start, next: 0 }];
  state.set(start, 'open');
  for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
    const relationship = graph.get(frame.node)?.[frame.next];
    frame.next += 1;
    if (relationship === undefined) {
      state.set(frame.node, 'done');
      path.pop();
      continue;
    }
    const seen = state.get(relationship.node);
    if (seen === 'open') complain(path, relationship, report);
    if (seen !== undefined) continue;
    state.set(relationship.node, 'open');
    path.push({ node: relationship.node, next: 0 });
  }
}

function complain(path: readonly Frame[], closing: PlacedRelationship, report: Report): void {
  const names = path.map((frame) => frame.node);
  const ring = [...names.slice(names.lastIndexOf(closing.node)), closing.node];
  // A ring of thousands is told by its ends.
  const shown = ring.length > 20 ? [...ring.slice(0, 10), '…', ...ring.slice(-9)] : ring;
  const message = `relationships: these depend on each other in a ring: ${shown.join(' → ')}`;
  report.error({
    code: 'relationship-cycle',
    at: closing.at,
    message,
    hint: 'each must be able to start after those it needs; remove one of them',
  });
}
