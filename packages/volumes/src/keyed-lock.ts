/** Lets work on one thing wait for other work on it; what is on different keys runs at once. Nothing is held across processes. */
export class KeyedLock {
  readonly #queues = new Map<string, Queue>();

  /** Runs `work` once all that was asked for before is done; what is asked for later waits for it. Fails as `work` does. */
  exclusive<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const { alone, together } = this.#queue(key);
    const result = Promise.all([alone, ...together]).then(work);
    this.#follow(key, { alone: settled(result), together: [] });
    return result;
  }

  /** The same, at once with other shared work. */
  shared<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const { alone, together } = this.#queue(key);
    const result = alone.then(work);
    this.#follow(key, { alone, together: [...together, settled(result)] });
    return result;
  }

  #queue(key: string): Queue {
    return this.#queues.get(key) ?? { alone: Promise.resolve(), together: [] };
  }

  #follow(key: string, queue: Queue): void {
    this.#queues.set(key, queue);
    void Promise.all([queue.alone, ...queue.together]).then(() => {
      if (this.#queues.get(key) === queue) this.#queues.delete(key);
    });
  }
}

/** The last exclusive work, and the shared work since. */
interface Queue {
  readonly alone: Promise<void>;
  readonly together: readonly Promise<void>[];
}

/** Its failure is told to whoever asked for the work. */
function settled(result: Promise<unknown>): Promise<void> {
  const nothing = (): void => undefined;
  return result.then(nothing, nothing);
}
