import type { Plan, Step, StepKind } from '@coppice/plan';
import type { Clock } from './clock.ts';
import { isSimulatedCrash } from './simulated-crash.ts';

/** What each kind of step does. A kind that is missing does not compile. Steps are idempotent. */
export type Perform = {
  readonly [Kind in StepKind]: (step: Extract<Step, { readonly kind: Kind }>, signal: AbortSignal) => Promise<void>;
};

/** How one step ended. `skipped`: a step it waited for failed; that one's error is not repeated here. */
export type StepResult = { readonly id: string; readonly durationMs: number } & (
  | { readonly state: 'done' | 'cancelled' }
  | { readonly state: 'failed'; readonly error: unknown }
  | { readonly state: 'skipped'; readonly because: readonly string[] }
);

export interface PlanResult {
  /** `failed` where a step failed by itself, even when it was cancelled afterwards. */
  readonly outcome: 'done' | 'failed' | 'cancelled';
  /** In the plan's order. */
  readonly steps: readonly StepResult[];
  readonly durationMs: number;
}

/** Told when a step begins, and how it ended. */
export type StepEvent =
  | { readonly kind: 'started'; readonly step: Step }
  | { readonly kind: 'ended'; readonly step: Step; readonly result: StepResult };

export interface Execution {
  readonly plan: Plan;
  readonly perform: Perform;
  readonly clock: Clock;
  /** Aborted: no further step starts, running ones are told. */
  readonly signal?: AbortSignal;
  readonly onStep?: (event: StepEvent) => void;
  /** Steps that run at once; default 16. */
  readonly concurrency?: number;
  /** After a failure: also what does not depend on it goes on (default), or nothing further starts. */
  readonly afterFailure?: 'finish-independent' | 'start-nothing';
  /** For tests: called around each step; what it throws ends everything at once, as a kill would. */
  readonly onEffect?: (moment: 'before' | 'after', step: Step) => void;
}

/**
 * Walks the plan's DAG: every step as soon as all it waits for are done, independent ones at once. A step that fails stops only what
 * depends on it. Resolves when nothing runs any more; failures are values. Rejects with a SimulatedCrash only.
 */
export function executePlan(execution: Execution): Promise<PlanResult> {
  return new Walk(execution).run();
}

const never = new AbortController().signal;

class Walk {
  readonly #execution: Execution;
  readonly #signal: AbortSignal;
  readonly #startedMs: number;
  readonly #results = new Map<string, StepResult>();
  readonly #waiting = new Map<string, number>();
  readonly #behind = new Map<string, Step[]>();
  readonly #free: Step[] = [];
  #next = 0;
  #running = 0;
  #failed = false;
  #crashed = false;
  #finish: (result: PlanResult) => void = () => undefined;
  #crash: (error: unknown) => void = () => undefined;

  constructor(execution: Execution) {
    this.#execution = execution;
    this.#signal = execution.signal ?? never;
    this.#startedMs = execution.clock.nowMs();
    for (const step of execution.plan.steps) {
      this.#waiting.set(step.id, step.after.length);
      if (step.after.length === 0) this.#free.push(step);
      for (const id of step.after) {
        const list = this.#behind.get(id);
        if (list) list.push(step);
        else this.#behind.set(id, [step]);
      }
    }
  }

  run(): Promise<PlanResult> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#crash = (error) => {
        this.#crashed = true;
        reject(error);
      };
      this.#pump();
    });
  }

  #pump(): void {
    const limit = this.#execution.concurrency ?? 16;
    while (!this.#crashed && this.#running < limit && this.#next < this.#free.length && !this.#stopping()) {
      const step = this.#free[this.#next];
      this.#next += 1;
      if (step) this.#start(step);
    }
    const idle = this.#next === this.#free.length || this.#stopping();
    if (this.#running === 0 && idle && !this.#crashed) this.#finish(this.#summary());
  }

  #stopping(): boolean {
    return this.#signal.aborted || (this.#failed && this.#execution.afterFailure === 'start-nothing');
  }

  #start(step: Step): void {
    this.#running += 1;
    const startedMs = this.#execution.clock.nowMs();
    void this.#perform(step).then(
      () => this.#end(step, { id: step.id, state: 'done', durationMs: this.#since(startedMs) }),
      (error: unknown) => this.#fail(step, { error, durationMs: this.#since(startedMs) }),
    );
  }

  async #perform(step: Step): Promise<void> {
    const { perform, onEffect, onStep } = this.#execution;
    onStep?.({ kind: 'started', step });
    crashing(() => onEffect?.('before', step));
    // The record is keyed by kind, so the function fits the step; the compiler cannot follow that through a union.
    await (perform[step.kind] as (step: Step, signal: AbortSignal) => Promise<void>)(step, this.#signal);
    if (!this.#crashed) crashing(() => onEffect?.('after', step));
  }

  #fail(step: Step, { error, durationMs }: { readonly error: unknown; readonly durationMs: number }): void {
    if (error instanceof Crash || isSimulatedCrash(error)) {
      this.#crash(error instanceof Crash ? error.cause : error);
      return;
    }
    if (this.#signal.aborted) {
      this.#end(step, { id: step.id, state: 'cancelled', durationMs });
      return;
    }
    this.#failed = true;
    this.#end(step, { id: step.id, state: 'failed', durationMs, error });
  }

  #end(step: Step, result: StepResult): void {
    this.#running -= 1;
    if (this.#crashed) return;
    this.#results.set(step.id, result);
    this.#execution.onStep?.({ kind: 'ended', step, result });
    if (result.state === 'done') {
      for (const behind of this.#behind.get(step.id) ?? []) {
        const left = (this.#waiting.get(behind.id) ?? 0) - 1;
        this.#waiting.set(behind.id, left);
        if (left === 0) this.#free.push(behind);
      }
    }
    this.#pump();
  }

  #since(startedMs: number): number {
    return this.#execution.clock.nowMs() - startedMs;
  }

  #summary(): PlanResult {
    const steps: StepResult[] = [];
    const causes = new Map<string, readonly string[]>();
    for (const step of this.#execution.plan.steps) {
      const result = this.#results.get(step.id) ?? this.#notStarted(step, causes);
      if (result.state === 'failed') causes.set(step.id, [step.id]);
      if (result.state === 'skipped') causes.set(step.id, result.because);
      steps.push(result);
    }
    const complete = steps.every((step) => step.state === 'done');
    const outcome = this.#failed ? 'failed' : complete ? 'done' : 'cancelled';
    return { outcome, steps, durationMs: this.#since(this.#startedMs) };
  }

  #notStarted(step: Step, causes: ReadonlyMap<string, readonly string[]>): StepResult {
    const because = [...new Set(step.after.flatMap((id) => causes.get(id) ?? []))].sort();
    const { id } = step;
    return because.length > 0 ? { id, state: 'skipped', durationMs: 0, because } : { id, state: 'cancelled', durationMs: 0 };
  }
}

/** Tells what the hook throws from what a step throws. */
class Crash extends Error {}

function crashing(hook: () => void): void {
  try {
    hook();
  } catch (cause) {
    throw new Crash('simulated crash', { cause });
  }
}
