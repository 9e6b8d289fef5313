/** What an ask came to. `silent`: no answer in time; the ask goes on. */
export type Outcome<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'silent' };

/** Asks what may hang, for no longer than a limit. Whoever asks while an earlier ask goes on waits for that one: a part that hangs is asked once. */
export class BoundedAsk<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #limitMs: number;
  #pending: Promise<Outcome<Answer>> | undefined;

  constructor(ask: () => Promise<Answer>, limitMs: number) {
    this.#ask = ask;
    this.#limitMs = limitMs;
  }

  /** Never rejects. */
  async outcome(): Promise<Outcome<Answer>> {
    this.#pending ??= this.#begin();
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<Outcome<Answer>>((resolve) => {
      timer = setTimeout(() => resolve({ kind: 'silent' }), this.#limitMs);
    });
    try {
      return await Promise.race([this.#pending, silent]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #begin(): Promise<Outcome<Answer>> {
    try {
      // `try`: what is asked may also throw at once.
      return { kind: 'answered', answer: await Promise.try(this.#ask) };
    } catch (error) {
      return { kind: 'failed', error };
    } finally {
      this.#pending = undefined;
    }
  }
}
