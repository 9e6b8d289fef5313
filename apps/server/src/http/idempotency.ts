const keepMs = 10 * 60_000;
const maxKept = 10_000;

/** Remembers what a request with an `Idempotency-Key` answered, so that a retry does not do the work twice. */
export class IdempotencyKeys {
  readonly #answers = new Map<string, { readonly at: number; readonly answer: Promise<unknown> }>();

  /** `work` at the first call with the key, its answer (or failure) at later ones within ten minutes. */
  once(key: string, work: () => Promise<unknown>): Promise<unknown> {
    const known = this.#answers.get(key);
    if (known && performance.now() - known.at < keepMs) return known.answer;
    const answer = work();
    this.#answers.set(key, { at: performance.now(), answer });
    if (this.#answers.size > maxKept) this.#dropOldest();
    return answer;
  }

  #dropOldest(): void {
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}
