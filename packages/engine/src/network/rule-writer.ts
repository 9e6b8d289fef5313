import { runTool } from './run-tool.ts';

/** Our changes come in bursts; after so long without one the table is read. A change of others meanwhile goes unnoticed. */
const quietMs = 1_000;

/**
 * Applies rule texts, each whole or not at all. Texts that arrive while one runs go together in the next transaction, so that
 * twenty nodes starting at once cost two runs of nft and not twenty.
 */
export class RuleWriter {
  #waiting: { readonly text: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #running = false;
  #round = 0;
  #noting: NodeJS.Timeout | undefined;
  readonly #table: string;
  /** The table as our last run of nft left it; undefined until that was read. */
  #standing: string | undefined;

  /** Of the family `inet`. */
  constructor(table: string) {
    this.#table = table;
  }

  /** Whether somebody else changed the table since our last change of it; that it was noticed is not kept. */
  async wasChanged(): Promise<boolean> {
    const before = this.#standing;
    if (before === undefined) return false;
    const now = await list(this.#table);
    // Else ours changed it meanwhile.
    if (this.#standing !== before || now === before) return false;
    this.#standing = now;
    return true;
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
    clearTimeout(this.#noting);
    this.#noting = setTimeout(() => void this.#note(), quietMs).unref();
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
