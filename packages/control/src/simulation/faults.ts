import type { SeededRandom } from './seeded-random.ts';

/** How often what goes wrong, out of one; drawn anew for each history, so that some are calm and some are rough. */
export interface Climate {
  readonly refused: number;
  readonly lost: number;
  readonly repeated: number;
  readonly readFails: number;
  readonly stale: number;
  readonly empty: number;
}

const calm: Climate = { refused: 0, lost: 0, repeated: 0, readFails: 0, stale: 0, empty: 0 };

/** A climate: a third of the histories know no faults but kills, the others some of them. */
export function randomClimate(random: SeededRandom): Climate {
  if (random.chance(0.33)) return calm;
  const some = (most: number): number => (random.chance(0.5) ? random.next() * most : 0);
  const listings = random.chance(0.3);
  return {
    refused: some(0.03),
    lost: some(0.04),
    repeated: some(0.05),
    readFails: some(0.01),
    stale: listings ? some(0.05) : 0,
    empty: listings ? some(0.03) : 0,
  };
}

/** Decides what goes wrong next, until the weather is fair. */
export class Faults {
  #climate: Climate;
  readonly #random: SeededRandom;
  /** What went wrong, how often. */
  readonly counts = { refused: 0, lost: 0, repeated: 0, readFails: 0, stale: 0, empty: 0 };

  constructor(climate: Climate, random: SeededRandom) {
    this.#climate = climate;
    this.#random = random;
  }

  /** Nothing goes wrong any more. */
  stop(): void {
    this.#climate = calm;
  }

  /** Whether a call fails and does nothing. */
  refuses(): boolean {
    return this.#happens('refused');
  }

  /** Whether a call is done and its answer does not come. */
  losesAnswer(): boolean {
    return this.#happens('lost');
  }

  /** Whether a call is done twice. */
  repeats(): boolean {
    return this.#happens('repeated');
  }

  readFails(): boolean {
    return this.#happens('readFails');
  }

  /** Whether listings may be untrue. */
  get mayMislead(): boolean {
    return this.#climate.stale > 0 || this.#climate.empty > 0;
  }

  listing(): 'none' | 'stale' | 'empty' {
    if (this.#happens('stale')) return 'stale';
    return this.#happens('empty') ? 'empty' : 'none';
  }

  #happens(kind: keyof Climate): boolean {
    const happens = this.#climate[kind] > 0 && this.#random.chance(this.#climate[kind]);
    if (happens) this.counts[kind] += 1;
    return happens;
  }
}
