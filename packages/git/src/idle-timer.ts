/** Calls back once when nothing was heard for so long while somebody listens. */
export class IdleTimer {
  readonly #timer: NodeJS.Timeout;
  #reasons = 0;

  constructor(idleMs: number, onIdle: () => void) {
    this.#timer = setTimeout(() => {
      if (this.#reasons > 0) onIdle();
      else this.#timer.refresh();
    }, idleMs);
  }

  /** Something moved. */
  touch(): void {
    this.#timer.refresh();
  }

  /** The other side has to act until `work` is done: its silence counts. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    this.#reasons += 1;
    this.touch();
    try {
      return await work;
    } finally {
      this.#reasons -= 1;
      this.touch();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
