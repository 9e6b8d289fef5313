import { type Digest, type NodeName, shortDigest } from '@coppice/model';
import { topologicalOrder } from './graph.ts';
import type { Step } from './plan-value.ts';

type Distribute<Union> = Union extends Step ? Omit<Union, 'id' | 'after'> : never;
/** A step before it has its place. */
export type StepBody = Distribute<Step>;
/** The id of a step, or undefined for one that is not needed: then nothing waits for it. */
export type MaybeId = string | undefined;

/** Collects steps with what must come before them, then puts them in order. */
export class StepList {
  readonly #steps = new Map<string, { readonly body: StepBody; readonly after: Set<string> }>();

  /** Adds a step; what it waits for may be added later. Answers its id. */
  add(body: StepBody, after: readonly MaybeId[] = []): string {
    const id = stepId(body);
    this.#steps.set(id, { body, after: new Set() });
    this.order(id, after);
    return id;
  }

  /** Lets a step that was added wait for others. */
  order(id: string, after: readonly MaybeId[]): void {
    const step = this.#steps.get(id);
    for (const other of after) if (other !== undefined && other !== id) step?.after.add(other);
  }

  /** The steps in topological order, independent ones in the order they were added. Throws Error on a cycle: a defect of the plan's rules. */
  ordered(): readonly Step[] {
    const graph = new Map([...this.#steps].map(([id, step]) => [id, step.after]));
    const { order, blocked } = topologicalOrder(graph);
    if (blocked.length > 0) throw new Error(`steps wait for each other: ${blocked.slice(0, 5).join(', ')}`);
    return order.flatMap((id) => {
      const step = this.#steps.get(id);
      return step ? [{ id, after: [...step.after].sort(), ...step.body }] : [];
    });
  }
}

function stepId(body: StepBody): string {
  if (body.kind === 'switch-data') return `${body.kind} ${body.generation}`;
  const { kind, node, digest, hook } = body as { kind: string; node?: NodeName; digest?: Digest; hook?: string };
  return [kind, node, hook, digest && shortDigest(digest)].filter((part) => part !== undefined).join(' ');
}
