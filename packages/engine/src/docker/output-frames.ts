/** A piece of output of a container without a terminal. */
export interface OutputFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

/** Splits the Engine API's multiplexed stream: 8 bytes of header (stream, length as 32 bits big-endian), then the bytes. */
export async function* outputFrames(source: AsyncIterable<Buffer | string>): AsyncGenerator<OutputFrame> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    let offset = 0;
    while (pending.length - offset >= 8) {
      const length = pending.readUInt32BE(offset + 4);
      if (pending.length - offset - 8 < length) break;
      const data = pending.subarray(offset + 8, offset + 8 + length);
      yield { stream: pending[offset] === 2 ? 'stderr' : 'stdout', data };
      offset += 8 + length;
    }
    pending = pending.subarray(offset);
  }
}
