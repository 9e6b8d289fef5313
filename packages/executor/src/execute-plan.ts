import type { Plan, Step, StepKind } from '@coppice/plan';
import { isSimulatedCrash } from './simulated-crash.ts';
import { stepGraceMs, stepLimitMs } from './step-limit.ts';
import { within } from './within.ts';

/**
 * What became of one step. `failed`: by itself. `skipped`: steps it waited for failed, `because` names those that failed by themselves.
 * `cancelled`: the signal came before it began or while it ran.
 */
export interface StepResult {
  readonly id: string;
  readonly state: 'done' | 'failed' | 'skipped' | 'cancelled';
  readonly durationMs: number;
  readonly error?: unknown;
  readonly because?: readonly string[];
}

export interface Execution {
  readonly plan: Plan;
  /** Does one step; idempotent. */
  readonly perform: (step: Step, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  /** At most so many steps at once; default 16. */
  readonly concurrency?: number;
  /** How long a step may take; default `stepLimitMs`. */
  readonly limitMs?: (kind: StepKind) => number;
  /** How long a step that began may go on after the signal or its limit, before it is given up on; default 10 s. */
  readonly graceMs?: number;
  readonly onStep?: (step: Step, event: 'begin' | StepResult) => void;
  /** For tests: called around each step; a SimulatedCrash it throws ends all at once, as a kill would. */
  readonly onEffect?: (moment: 'before' | 'after', step: Step) => void;
}

const defaultConcurrency = 16;
/** How long a step may go on after it was told to end, in milliseconds. */
export const defaultGraceMs = 10_000;

/**
 * Walks a plan's DAG: each step once all before it are done, what does not depend on each other at once. After a failure nothing that
 * depends on it begins, while the rest goes on; after the signal nothing begins any more. A step that takes longer than its limit has
 * failed, so no walk lasts for ever. Never throws for a step's failure: results, in
 * the plan's order, say it. Rejects only with a SimulatedCrash, without waiting for what runs.
 */
export async function executePlan(execution: Execution): Promise<readonly StepResult[]> {
  return await new Walk(execution).run();
}

class Walk {
  readonly #execution: Execution;
  readonly #results = new Map<string, StepResult>();
  readonly #waitsFor = new Map<string, number>();
  readonly #dependants = new Map<string, Step[]>();
  readonly #ready: Step[] = [];
  #next = 0;
  #running = 0;
  #crashed = false;

  constructor(execution: Execution) {
    this.#execution = execution;
    for (const step of execution.plan.steps) {
      this.#waitsFor.set(step.id, step.after.length);
      for (const before of step.after) {
        const known = this.#dependants.get(before);
        if (known) known.push(step);
        else this.#dependants.set(before, [step]);
      }
      if (step.after.length === 0) this.#ready.push(step);
    }
  }

  async run(): Promise<readonly StepResult[]> {
    await new Promise<void>((finished, crashed) => this.#advance(finished, crashed));
    return this.#summary();
  }

  #advance(finished: () => void, crashed: (error: unknown) => void): void {
    const { signal, concurrency = defaultConcurrency } = this.#execution;
    while (!this.#crashed && !signal.aborted && this.#running < concurrency) {
      const step = this.#ready[this.#next];
      if (!step) break;
      this.#next += 1;
      this.#running += 1;
      void this.#perform(step).then((result) => {
        this.#running -= 1;
        if (this.#crashed) return;
        if (isSimulatedCrash(result.error)) {
          this.#crashed = true;
          crashed(result.error);
          return;
        }
        this.#settle(step, result);
        this.#advance(finished, crashed);
      });
    }
    if (!this.#crashed && this.#running === 0 && (signal.aborted || this.#next === this.#ready.length)) finished();
  }

  async #perform(step: Step): Promise<StepResult> {
    const { perform, signal, nowMs, onStep, onEffect, limitMs = stepLimitMs, graceMs = defaultGraceMs } = this.#execution;
    const { id } = step;
    const startedMs = nowMs();
    try {
      onStep?.(step, 'begin');
      onEffect?.('before', step);
      const limit = limitMs(step.kind);
      const bounds = { limitMs: limit, graceMs: stepGraceMs(step.kind, { limitMs: limit, graceMs }), signal, what: step.id };
      await within(bounds, (stop) => perform(step, stop));
      if (!this.#crashed) onEffect?.('after', step);
      return { id, state: 'done', durationMs: nowMs() - startedMs };
    } catch (error) {
      return { id, state: signal.aborted ? 'cancelled' : 'failed', durationMs: nowMs() - startedMs, error };
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

  /** Steps stand in topological order, so what a step waited for is known before it. */
  #summary(): readonly StepResult[] {
    const failures = new Map<string, readonly string[]>();
    return this.#execution.plan.steps.map((step): StepResult => {
      const { id } = step;
      const result = this.#results.get(id);
      if (result?.state === 'failed') failures.set(id, [id]);
      if (result) return result;
      const because = [...new Set(step.after.flatMap((before) => failures.get(before) ?? []))].sort();
      if (because.length === 0) return { id, state: 'cancelled', durationMs: 0 };
      failures.set(id, because);
      return { id, state: 'skipped', durationMs: 0, because };
    });
  }
}
