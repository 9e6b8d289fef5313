/** Runs one piece of work after another, in the order asked for; a failure is its caller's alone. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#last.then(work);
    // the next does not care how this one ended
    this.#last = mine.catch(() => undefined);
    return await mine;
  }
}
