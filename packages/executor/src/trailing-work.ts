import { within } from './within.ts';

/** Work that goes on beside the steps that come after it, each for so long at most. */
export class TrailingWork {
  readonly #going: Promise<unknown>[] = [];
  readonly #limitMs: number;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Takes work that has begun; its failure is told by `settle`. */
  begin(work: Promise<void>): void {
    const bounds = { limitMs: this.#limitMs, graceMs: 0, signal: new AbortController().signal, what: 'a change beside the steps' };
    this.#going.push(
      within(bounds, () => work).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  }

  /** Resolves when all is done, with the first failure, or undefined. */
  async settle(): Promise<unknown> {
    const ended = await Promise.all(this.#going);
    return ended.find((failure) => failure !== undefined);
  }
}
