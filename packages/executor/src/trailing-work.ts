/** Work that goes on beside the steps that come after it. */
export class TrailingWork {
  readonly #going: Promise<unknown>[] = [];

  /** Takes work that has begun; its failure is told by `settle`. */
  begin(work: Promise<void>): void {
    this.#going.push(
      work.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  }

  /** Resolves when all is done, with the first failure, or undefined. */
  async settle(): Promise<unknown> {
    const ended = await Promise.all(this.#going);
    return ended.find((failure) => failure !== undefined);
  }
}
