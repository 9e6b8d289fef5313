import { runTool } from './run-tool.ts';

/**
 * Applies rule texts, each whole or not at all. Texts that arrive while one runs go together in the next transaction, so that
 * twenty nodes starting at once cost two runs of nft and not twenty.
 */
export class RuleWriter {
  #waiting: { readonly text: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #running = false;

  /** Resolves when the rules stand. `engine-failed` with nft's words, `missing-tool`. */
  apply(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
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
  }
}

async function write(text: string): Promise<void> {
  await runTool('nft', ['-f', '-'], `${text}\n`);
}
