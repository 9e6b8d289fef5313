import { CoppiceError } from '@coppice/model';
import type { SeededRandom } from './seeded-random.ts';

interface Waiting {
  readonly what: string;
  readonly go: () => void;
}

const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const opaque = new RegExp(`\\b([edaipbt])_[${letters}]{16}\\b`, 'g');

/**
 * Who goes next: every call to the simulated world waits here, and the seed decides which of them is done first. Keeps the trace of what
 * was decided, with ids told by their order, so that two runs of a seed can be compared.
 */
export class Turns {
  readonly #random: SeededRandom;
  readonly #waiting: Waiting[] = [];
  readonly #names = new Map<string, string>();
  readonly trace: string[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when it is chosen; never, where all who wait are dropped before. */
  async take(what: string): Promise<void> {
    await new Promise<void>((go) => this.#waiting.push({ what, go }));
  }

  /** Lets one of those who wait go; false where none does. */
  next(): boolean {
    if (this.#waiting.length === 0) return false;
    const [chosen] = this.#waiting.splice(this.#random.between(0, this.#waiting.length - 1), 1);
    if (!chosen) throw new CoppiceError('internal', 'nobody was chosen');
    this.note(chosen.what);
    chosen.go();
    return true;
  }

  /** They wait for ever: what a kill does to calls on their way. */
  drop(): void {
    this.#waiting.length = 0;
  }

  /** Adds a line to the trace. */
  note(line: string): void {
    this.trace.push(this.plain(line));
  }

  /** The text with every opaque id told by the order in which it was first seen. */
  plain(text: string): string {
    return text.replace(opaque, (id, prefix: string) => {
      const known = this.#names.get(id) ?? `${prefix}${this.#names.size + 1}`;
      this.#names.set(id, known);
      return known;
    });
  }
}

/** Resolves once everything that can go on without a turn or a timer has done so. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
