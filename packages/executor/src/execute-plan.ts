import type { Plan, Step } from '@coppice/plan';

/** What became of one step. `skipped`: something before it failed; `cancelled`: never begun since the signal came. */
export interface StepResult {
  readonly id: string;
  readonly state: 'done' | 'failed' | 'skipped' | 'cancelled';
  readonly durationMs: number;
  readonly error?: unknown;
}

export interface Execution {
  readonly plan: Plan;
  /** Does one step; idempotent. */
  readonly perform: (step: Step, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  /** At most so many steps at once. */
  readonly concurrency?: number;
  readonly onStep?: (step: Step, event: 'begin' | StepResult) => void;
}

const defaultConcurrency = 16;

/**
 * Walks a plan's DAG: each step once all before it are done, what does not depend on each other at once. After a failure nothing that
 * depends on it begins, while the rest goes on; after the signal nothing begins any more. Never throws for a step's failure: results, in
 * the plan's order, say it.
 */
export async function executePlan(execution: Execution): Promise<readonly StepResult[]> {
  const walk = new Walk(execution);
  return await walk.run();
}

class Walk {
  readonly #execution: Execution;
  readonly #results = new Map<string, StepResult>();
  readonly #waitsFor = new Map<string, number>();
  readonly #dependants = new Map<string, Step[]>();
  readonly #ready: Step[] = [];
  #running = 0;

  constructor(execution: Execution) {
    this.#execution = execution;
    for (const step of execution.plan.steps) {
      this.#waitsFor.set(step.id, step.after.length);
      for (const before of step.after) this.#dependants.set(before, [...(this.#dependants.get(before) ?? []), step]);
      if (step.after.length === 0) this.#ready.push(step);
    }
  }

  async run(): Promise<readonly StepResult[]> {
    const { plan } = this.#execution;
    if (plan.steps.length > 0) await new Promise<void>((resolve) => this.#advance(resolve));
    return plan.steps.map((step) => this.#results.get(step.id) ?? { id: step.id, state: 'skipped', durationMs: 0 });
  }

  #advance(finished: () => void): void {
    const limit = this.#execution.concurrency ?? defaultConcurrency;
    while (this.#running < limit) {
      const step = this.#ready.shift();
      if (!step) break;
      this.#running += 1;
      void this.#perform(step).then((result) => {
        this.#running -= 1;
        this.#settle(step, result);
        this.#advance(finished);
      });
    }
    if (this.#running === 0 && this.#ready.length === 0) finished();
  }

  async #perform(step: Step): Promise<StepResult> {
    const { perform, signal, nowMs, onStep } = this.#execution;
    if (signal.aborted) return { id: step.id, state: 'cancelled', durationMs: 0 };
    onStep?.(step, 'begin');
    const startedMs = nowMs();
    try {
      await perform(step, signal);
      return { id: step.id, state: 'done', durationMs: nowMs() - startedMs };
    } catch (error) {
      return { id: step.id, state: 'failed', durationMs: nowMs() - startedMs, error };
    }
  }

  #settle(step: Step, result: StepResult): void {
    this.#results.set(step.id, result);
    this.#execution.onStep?.(step, result);
    if (result.state !== 'done') return;
    for (const dependant of this.#dependants.get(step.id) ?? []) {
      const left = (this.#waitsFor.get(dependant.id) ?? 0) - 1;
      this.#waitsFor.set(dependant.id, left);
      if (left === 0) this.#ready.push(dependant);
    }
  }
}
