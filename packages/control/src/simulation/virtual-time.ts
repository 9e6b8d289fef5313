import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** What `setTimeout` answers; its `unref` means nothing here. */
interface TimerHandle {
  readonly id: number;
  ref(): TimerHandle;
  unref(): TimerHandle;
  hasRef(): boolean;
}

/** The wall clock at the start of a history. */
const epochMs = Date.UTC(2026, 0, 1);

/**
 * Time that passes only when it is told to. While installed it stands behind `setTimeout`, the promise that `node:timers/promises` gives,
 * `AbortSignal.timeout` and `Date.now` of the whole thread, so only a thread that does nothing else may install it.
 */
export class VirtualTime {
  #nowMs = 0;
  #made = 0;
  readonly #timers = new Map<number, Timer>();

  /** Milliseconds since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  now(): Date {
    return new Date(epochMs + this.#nowMs);
  }

  /** Moves to the timer that is due first and runs it; false where there is none. */
  advance(): boolean {
    let next: [number, Timer] | undefined;
    for (const entry of this.#timers) if (!next || entry[1].atMs < next[1].atMs) next = entry;
    if (!next) return false;
    this.#timers.delete(next[0]);
    this.#nowMs = Math.max(this.#nowMs, next[1].atMs);
    next[1].run();
    return true;
  }

  /** Drops all timers, as a kill does. */
  clear(): void {
    this.#timers.clear();
  }

  /** Puts it in the place of the machine's timers, until the returned function is called. */
  install(): () => void {
    const real = {
      setTimeout: globalThis.setTimeout,
      clearTimeout: globalThis.clearTimeout,
      now: Date.now,
      timeout: AbortSignal.timeout,
      pause: timersPromises.setTimeout,
    };
    globalThis.setTimeout = this.#setTimeout as unknown as typeof setTimeout;
    globalThis.clearTimeout = this.#clearTimeout as unknown as typeof clearTimeout;
    Date.now = () => epochMs + this.#nowMs;
    AbortSignal.timeout = this.#timeout;
    timersPromises.setTimeout = this.#pause as typeof timersPromises.setTimeout;
    syncBuiltinESMExports();
    return () => {
      globalThis.setTimeout = real.setTimeout;
      globalThis.clearTimeout = real.clearTimeout;
      Date.now = real.now;
      AbortSignal.timeout = real.timeout;
      timersPromises.setTimeout = real.pause;
      syncBuiltinESMExports();
    };
  }

  readonly #setTimeout = (run: (...input: unknown[]) => void, ms = 0, ...input: unknown[]): TimerHandle => {
    this.#made += 1;
    const id = this.#made;
    this.#timers.set(id, { atMs: this.#nowMs + Math.max(1, ms), run: () => run(...input) });
    const handle: TimerHandle = { id, ref: () => handle, unref: () => handle, hasRef: () => true };
    return handle;
  };

  readonly #clearTimeout = (handle: TimerHandle | undefined): void => {
    if (handle) this.#timers.delete(handle.id);
  };

  readonly #timeout = (ms: number): AbortSignal => {
    const controller = new AbortController();
    this.#setTimeout(() => controller.abort(new DOMException('the time is over', 'TimeoutError')), ms);
    return controller.signal;
  };

  readonly #pause = async (ms?: number, value?: unknown, options?: { readonly signal?: AbortSignal }): Promise<unknown> => {
    const signal = options?.signal;
    return await new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#clearTimeout(handle);
        reject(Object.assign(new Error('the pause was called off', { cause: signal?.reason }), { name: 'AbortError', code: 'ABORT_ERR' }));
      };
      const handle = this.#setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      }, ms);
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  };
}
