import type { EnvironmentSpec, NodeSpec, ObservedEnvironment } from '@coppice/model';
import { buildNode, buildSpec, observedWorld, relatedTo, routeTo } from '@coppice/model/builders';
import { makePlan } from './make-plan.ts';

/** One figure of the benchmark beside what it must reach. */
export interface BenchRow {
  readonly name: string;
  readonly measured: number;
  readonly unit: 'ms' | 'ratio';
  readonly limit: number;
  readonly ok: boolean;
}

type Shape = 'chain' | 'tree' | 'fan-out';

const limitsMs: ReadonlyMap<number, number> = new Map([
  [10_000, 150],
  [100_000, 2_000],
]);
const runs = 7;

/**
 * Time of `makePlan` with 1 % of the nodes changed, median of 7, for each shape and size; and how it grows from 10,000 to 100,000 nodes
 * beside n log n (12.5 times). Nothing is kept from one run to the next, so all runs of a world do the same work.
 */
export function planRows(): readonly BenchRow[] {
  return (['chain', 'tree', 'fan-out'] as const).flatMap((shape) => {
    const rows = [...limitsMs].map(([size, limit]): BenchRow => {
      const measured = medianMs(shape, size);
      return { name: `plan, ${shape} of ${size} nodes, 1 % changed`, measured, unit: 'ms', limit, ok: measured <= limit };
    });
    const growth = (rows[1]?.measured ?? 0) / (rows[0]?.measured ?? 1);
    // A third more than n log n, since caches hold 10,000 nodes and not 100,000.
    const limit = 12.5 * 1.33;
    return [...rows, { name: `plan, ${shape}: 100,000 nodes to 10,000`, measured: growth, unit: 'ratio', limit, ok: growth <= limit }];
  });
}

function medianMs(shape: Shape, size: number): number {
  const times: number[] = [];
  const { previous, spec, observed } = world(shape, size);
  for (let run = 0; run < runs; run += 1) {
    const startedMs = performance.now();
    const plan = makePlan({
      desired: { exists: true, run: 'up', spec, dataGeneration: 0, attempt: undefined },
      observed,
      previous,
      jobs: [],
      routes: undefined,
    });
    times.push(performance.now() - startedMs);
    if (plan.steps.length < size / 100) throw new Error('the plan does not hold the change that was made');
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}

function world(
  shape: Shape,
  size: number,
): { readonly previous: EnvironmentSpec; readonly spec: EnvironmentSpec; readonly observed: ObservedEnvironment } {
  const previous = buildSpec(nodes(shape, size, 'code-1'), [routeTo('n0')]);
  const spec = buildSpec(nodes(shape, size, 'code-2'), [routeTo('n0')]);
  return { previous, spec, observed: observedWorld(previous) };
}

function nodes(shape: Shape, size: number, code: string): NodeSpec[] {
  return Array.from({ length: size }, (_, index) => {
    const needed = dependencyOf(shape, index);
    return buildNode(`n${index}`, {
      code: index % 100 === 0 ? code : 'code-1',
      relationships: needed === undefined ? [] : [relatedTo(`n${needed}`)],
    });
  });
}

function dependencyOf(shape: Shape, index: number): number | undefined {
  if (index === 0) return undefined;
  if (shape === 'chain') return index - 1;
  return shape === 'tree' ? Math.floor((index - 1) / 2) : 0;
}
