import { CoppiceError } from '@coppice/model';

const keepMs = 10 * 60_000;
const maxKept = 10_000;
const maxKeyLength = 255;

/** A request that came with an `Idempotency-Key`. */
export interface KeyedRequest {
  readonly actor: string;
  readonly key: string;
  /** The same for a retry, another one for any other request: method, path and body, or a digest of them. */
  readonly request: string;
}

interface Answered {
  readonly atMs: number;
  readonly request: string;
  readonly answer: Promise<unknown>;
}

/**
 * Remembers what a request with an `Idempotency-Key` answered, so that a retry does not do the work twice. In memory: a server that
 * starts anew has forgotten them.
 */
export class IdempotencyKeys {
  readonly #answers = new Map<string, Answered>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /**
   * `work` at the first call with the key, its answer (or failure) at later ones within ten minutes. Throws `idempotency-key-reused`
   * where the key came with another request, `invalid-request` where it is empty or too long.
   */
  once({ actor, key, request }: KeyedRequest, work: () => Promise<unknown>): Promise<unknown> {
    if (key === '' || key.length > maxKeyLength)
      throw new CoppiceError('invalid-request', `an Idempotency-Key has 1 to ${maxKeyLength} characters`);
    const id = JSON.stringify([actor, key]);
    const known = this.#answers.get(id);
    if (known && this.#nowMs() - known.atMs < keepMs) {
      if (known.request === request) return known.answer;
      throw new CoppiceError('idempotency-key-reused', `the Idempotency-Key ${JSON.stringify(key)} was sent before with another request`, {
        hint: 'send a key of its own with each request; the same one only to repeat it',
      });
    }
    const answer = work();
    this.#answers.delete(id);
    this.#answers.set(id, { atMs: this.#nowMs(), request, answer });
    if (this.#answers.size > maxKept) this.#dropOldest();
    return answer;
  }

  #dropOldest(): void {
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}
