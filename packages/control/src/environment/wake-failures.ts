import type { EnvironmentId } from '@coppice/model';
import { doubledDelay } from '../doubled-delay.ts';
import type { Clock } from '../ports.ts';

const rests = { firstMs: 5_000, mostMs: 300_000 };

interface Failure {
  readonly reason: string;
  readonly count: number;
  readonly untilMs: number;
}

/** Why environments that sleep could not wake, and how long requests are told so before one may try again: doubled each time. */
export class WakeFailures {
  readonly #clock: Clock;
  readonly #failures = new Map<EnvironmentId, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers after how many milliseconds the next try may come. */
  add(environment: EnvironmentId, reason: string): number {
    const count = (this.#failures.get(environment)?.count ?? 0) + 1;
    const restMs = doubledDelay(count, rests);
    this.#failures.set(environment, { reason, count, untilMs: this.#clock.monotonicMs() + restMs });
    return restMs;
  }

  /** What requests are told now; undefined where they wait for the next try. */
  reason(environment: EnvironmentId): string | undefined {
    const failure = this.#failures.get(environment);
    return failure && failure.untilMs > this.#clock.monotonicMs() ? failure.reason : undefined;
  }

  /** It woke, or it is gone. */
  forget(environment: EnvironmentId): void {
    this.#failures.delete(environment);
  }
}
