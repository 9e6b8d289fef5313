import { BoundedAsk } from '../bounded-ask.ts';
import { failureReason } from '../push/push-lines.ts';

/** What the control plane cannot work without. */
export type Part = 'engine' | 'router' | 'volumes' | 'state' | 'loop';

/** Resolves where the part works; rejects with what is wrong. */
export type PartAsks = Readonly<Record<Part, () => Promise<unknown>>>;

const defaultLimitMs = 2_500;

/** Whether each part works, all asked at once; none may take longer than the limit to say so. */
export class PartChecks {
  readonly #asks: readonly (readonly [Part, BoundedAsk<unknown>])[];
  readonly #limitMs: number;

  constructor(asks: PartAsks, limitMs = defaultLimitMs) {
    this.#limitMs = limitMs;
    this.#asks = (Object.keys(asks) as Part[]).map((part) => [part, new BoundedAsk(asks[part], limitMs)]);
  }

  /** Part → undefined, or what is wrong. */
  async wrong(): Promise<Readonly<Record<Part, string | undefined>>> {
    const found = await Promise.all(this.#asks.map(async ([part, ask]) => [part, await this.#complaint(ask)] as const));
    return Object.fromEntries(found) as Record<Part, string | undefined>;
  }

  async #complaint(ask: BoundedAsk<unknown>): Promise<string | undefined> {
    const outcome = await ask.outcome();
    if (outcome.kind === 'answered') return undefined;
    return outcome.kind === 'failed' ? failureReason(outcome.error) : `does not answer within ${this.#limitMs / 1000} s`;
  }
}
