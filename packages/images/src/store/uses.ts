/** Keeps what is used while it stands from being collected. To be released once what was used is written down where `readKeep` finds it. */
export interface ImageHold {
  /** Does nothing the second time. */
  release(): void;
}

/**
 * The order in which things of a store were last used. Whoever deletes spares what came into use since it began to look, and what
 * came into use under a hold that still stands. Times of clocks play no part. It forgets all with the process, as do those who hold.
 */
export class Uses {
  #count = 0;
  readonly #last = new Map<string, number>();
  readonly #holds = new Set<number>();

  /** A moment, later than all uses so far. */
  mark(): number {
    this.#count += 1;
    return this.#count;
  }

  /** From now on what is used is spared, until the hold is released. */
  hold(): ImageHold {
    const since = this.mark();
    this.#holds.add(since);
    return { release: () => void this.#holds.delete(since) };
  }

  /** Does work under a hold. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    const hold = this.hold();
    try {
      return await work();
    } finally {
      hold.release();
    }
  }

  /** Notes uses. To be called before looking whether the thing is there. */
  note(names: Iterable<string>): void {
    for (const name of names) this.#last.set(name, this.#count);
  }

  /** Whether it came into use after the mark, or under a hold that stands. To be asked in the same turn in which it is deleted. */
  isSpared(name: string, mark: number): boolean {
    const last = this.#last.get(name);
    return last !== undefined && last >= Math.min(mark, ...this.#holds);
  }

  /** Drops what was deleted. */
  forget(name: string): void {
    this.#last.delete(name);
  }
}
