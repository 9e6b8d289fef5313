const waitMs = 25;

/**
 * Lines that are written together: each write to the database is flushed to the disk, so a build that prints ten thousand lines would
 * hold up the server for seconds if each were one.
 */
export class LineBatch {
  readonly #write: (lines: readonly string[]) => void;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (lines: readonly string[]) => void) {
    this.#write = write;
  }

  /** Takes a line, which is written within 25 ms. */
  add(line: string): void {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.flush(), waitMs);
  }

  /** Writes what is waiting now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#write(lines);
  }
}
