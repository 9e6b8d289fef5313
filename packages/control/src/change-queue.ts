import { CoppiceError } from '@coppice/model';

/**
 * One change at a time per environment. Of the pushes that wait, only the newest stays: the others fail with `superseded`.
 * Other work (repairs, deletions) waits its turn and is never superseded.
 */
export class ChangeQueue {
  readonly #lanes = new Map<string, Lane>();
  /** By lane: the one that what runs in it waits for. */
  readonly #waitsFor = new Map<string, string>();

  /**
   * Runs `work` when all earlier work of the lane is done or superseded. `kind` push: may be superseded while it waits. Where the signal comes
   * while it waits, it is not begun, and its reason is thrown.
   */
  async run<Result>(lane: string, kind: 'push' | 'other', work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    const queue = this.#lanes.get(lane) ?? { running: false, waiting: [] };
    this.#lanes.set(lane, queue);
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    if (kind === 'push') this.#supersede(queue);
    const entry: Entry = { kind, start: () => Promise.try(work).then(resolve, reject), refuse: reject };
    const leave = (): void => {
      if (!queue.waiting.includes(entry)) return;
      queue.waiting = queue.waiting.filter((other) => other !== entry);
      reject(signal?.reason);
    };
    queue.waiting.push(entry);
    signal?.addEventListener('abort', leave, { once: true });
    this.#next(lane, queue);
    return await promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  /** The same for work that another lane waits for. Throws `conflict` where the two would wait for each other. */
  async runFor<Result>(holder: string, lane: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    for (let next: string | undefined = lane; next !== undefined; next = this.#waitsFor.get(next)) {
      if (next === holder) throw new CoppiceError('conflict', 'each of the two environments waits for the other; try again');
    }
    this.#waitsFor.set(holder, lane);
    try {
      return await this.run(lane, 'other', work, signal);
    } finally {
      this.#waitsFor.delete(holder);
    }
  }

  /** Whether anything runs or waits in the lane. */
  busy(lane: string): boolean {
    return this.#lanes.has(lane);
  }

  /** Work that waits, over all lanes. */
  get waiting(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.waiting.length;
    return count;
  }

  #supersede(queue: Lane): void {
    for (const entry of queue.waiting.filter((waiting) => waiting.kind === 'push')) {
      entry.refuse(new CoppiceError('superseded', 'superseded by a newer push to this branch; fetch and push again'));
    }
    queue.waiting = queue.waiting.filter((waiting) => waiting.kind !== 'push');
  }

  #next(lane: string, queue: Lane): void {
    if (queue.running) return;
    const entry = queue.waiting.shift();
    if (!entry) {
      this.#lanes.delete(lane);
      return;
    }
    queue.running = true;
    entry.start().finally(() => {
      queue.running = false;
      this.#next(lane, queue);
    });
  }
}

interface Lane {
  running: boolean;
  waiting: Entry[];
}

interface Entry {
  readonly kind: 'push' | 'other';
  readonly start: () => Promise<void>;
  readonly refuse: (error: unknown) => void;
}
