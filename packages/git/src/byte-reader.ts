import { CoppiceError } from '@coppice/model';

/** Reads a stream piece by piece: up to a byte, or a number of bytes. Throws `git-failed` at its end and beyond `maxBytes` in all. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #maxBytes: number;
  #held: Buffer = Buffer.alloc(0);
  #total = 0;

  constructor(stream: AsyncIterable<Buffer>, maxBytes: number) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  /** The bytes before the next `stop`, which is consumed too. */
  async until(stop: number): Promise<Buffer> {
    let searched = 0;
    for (;;) {
      const at = this.#held.indexOf(stop, searched);
      if (at >= 0) {
        const found = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + 1);
        return found;
      }
      searched = this.#held.length;
      await this.#more();
    }
  }

  async exactly(length: number): Promise<Buffer> {
    while (this.#held.length < length) await this.#more();
    const found = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return found;
  }

  /** Reads on to the end of the stream and forgets it, so that the stream can close. */
  async drain(): Promise<void> {
    for (let next = await this.#chunks.next(); !next.done; ) next = await this.#chunks.next();
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) throw new CoppiceError('git-failed', 'git closed the connection early');
    this.#total += next.value.length;
    if (this.#total > this.#maxBytes) throw new CoppiceError('limit-exceeded', `more than ${this.#maxBytes} bytes about one push`);
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
  }
}
