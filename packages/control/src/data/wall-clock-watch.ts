import type { Clock } from '../ports.ts';

const hourMs = 3_600_000;
/** After a jump nothing is deleted for so long: time for somebody to set the clock right. */
const pauseMs = 24 * hourMs;

/** Sees jumps of the wall clock, by which nothing may be taken for old. */
export class WallClockWatch {
  readonly #clock: Clock;
  #offsetMs: number;
  #pausedUntilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = this.#offset();
  }

  /** Whether the clock may be trusted; false for a day after it jumped by more than an hour. `jumped` is told by how much it did just now. */
  isTrusted(jumped: (ms: number) => void): boolean {
    const offsetMs = this.#offset();
    const jumpMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(jumpMs) > hourMs) {
      this.#pausedUntilMs = this.#clock.monotonicMs() + pauseMs;
      jumped(jumpMs);
    }
    return this.#clock.monotonicMs() >= this.#pausedUntilMs;
  }

  #offset(): number {
    return this.#clock.now().getTime() - this.#clock.monotonicMs();
  }
}
