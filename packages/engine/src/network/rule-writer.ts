import { setTimeout as pause } from 'node:timers/promises';
import { runTool } from './run-tool.ts';

/** Our changes come in bursts; after so long without one the table is read. What others change meanwhile goes unnoticed, but for its end. */
const quietMs = 250;

/**
 * Applies rule texts, each whole or not at all. Texts that arrive while one runs go together in the next transaction, so that
 * twenty nodes starting at once cost two runs of nft and not twenty.
 */
export class RuleWriter {
  #waiting: { readonly text: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #running = false;
  #round = 0;
  #noted: Promise<void> = Promise.resolve();
  readonly #table: string;
  /** The table as our last run of nft left it; undefined until that was read. */
  #standing: string | undefined;

  /** Of the family `inet`. */
  constructor(table: string) {
    this.#table = table;
  }

  /** Whether somebody else changed the table since our last change of it; that it was noticed is not kept. */
  async wasChanged(): Promise<boolean> {
    await this.#noted;
    const before = this.#standing;
    if (before === undefined) return false;
    const now = await list(this.#table);
    // Else ours changed it meanwhile.
    if (this.#standing !== before) return false;
    this.#standing = now;
    return now !== before || now === '';
  }

  /** Resolves when the rules stand. `engine-failed` with nft's words, `missing-tool`. */
  apply(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    this.#round += 1;
    this.#standing = undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await write(batch.map((item) => item.text).join('\n'));
        for (const item of batch) item.resolve();
      } catch (error) {
        const [only, ...others] = batch;
        if (only !== undefined && others.length === 0) only.reject(error);
        // One bad text must not fail its neighbours.
        else for (const item of batch) await write(item.text).then(item.resolve, item.reject);
      }
    }
    this.#running = false;
    const round = this.#round;
    this.#noted = pause(quietMs, undefined, { ref: false }).then(async () => {
      if (round === this.#round) await this.#note();
    });
  }

  /** Remembers what stands, unless the next change of ours has begun. */
  async #note(): Promise<void> {
    const round = this.#round;
    const standing = await list(this.#table);
    if (round === this.#round) this.#standing = standing;
  }
}

/** The table's rules as text, without counters; empty where there is none. */
async function list(table: string): Promise<string> {
  return await runTool('nft', ['--stateless', 'list', 'table', 'inet', table], '').catch(() => '');
}

async function write(text: string): Promise<void> {
  await runTool('nft', ['-f', '-'], `${text}\n`);
}
