/** Lets at most so many pieces of work run at once; the others wait in the order they came. */
export class Slots {
  private readonly count: number;
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(count: number) {
    this.count = count;
    this.free = count;
  }

  /** What holds a slot now, and what waits for one. */
  load(): { readonly running: number; readonly waiting: number } {
    return { running: this.count - this.free, waiting: this.waiting.length };
  }

  /** Runs `work` when a slot is free. Throws the signal's reason where it is aborted while waiting. */
  async use<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const release = await this.hold(signal);
    try {
      return await work();
    } finally {
      await release();
    }
  }

  /** Takes a slot when one is free; what it resolves with gives it back and is called once. */
  async hold(signal: AbortSignal): Promise<() => Promise<void>> {
    await this.take(signal);
    return async () => this.give();
  }

  private async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      this.waiting.splice(this.waiting.indexOf(resolve), 1);
      reject(signal.reason);
    };
    this.waiting.push(resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  private give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}
