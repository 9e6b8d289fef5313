import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeStreams } from './merge-streams.ts';

interface Line {
  readonly time: string;
  readonly from: string;
}

/** A stream whose values come when they are given; `closed` resolves once its reader has let it go or it has ended. */
class ManualStream implements AsyncIterable<Line> {
  readonly #name: string;
  readonly #waiting: Line[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;
  readonly #closed = Promise.withResolvers<void>();
  readonly closed = this.#closed.promise;

  constructor(name: string) {
    this.#name = name;
  }

  give(...times: readonly string[]): this {
    this.#waiting.push(...times.map((time) => ({ time, from: this.#name })));
    this.#ring();
    return this;
  }

  end(): this {
    this.#ended = true;
    this.#ring();
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Line> {
    try {
      for (;;) {
        while (this.#waiting.length > 0) yield this.#waiting.shift() as Line;
        if (this.#ended) return;
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    } finally {
      this.#closed.resolve();
    }
  }

  #ring(): void {
    this.#wake.resolve();
  }
}

async function all(lines: AsyncIterable<Line>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { time, from } of lines) found.push(`${time} ${from}`);
  return found;
}

test('ordered streams come by time, equal times in the order of the streams, to the last of each', async () => {
  const streams = [
    new ManualStream('a').give('1', '4', '5').end(),
    new ManualStream('b').give('1', '2', '6').end(),
    new ManualStream('c').end(),
  ];
  assert.deepEqual(await all(mergeStreams(streams, { ordered: true })), ['1 a', '1 b', '2 b', '4 a', '5 a', '6 b']);
});

test('nothing merges to nothing', async () => {
  for (const ordered of [true, false]) {
    assert.deepEqual(await all(mergeStreams<Line>([], { ordered })), []);
    assert.deepEqual(await all(mergeStreams([new ManualStream('a').end()], { ordered })), []);
  }
});

test('unordered values come as they are given: a silent stream holds up no other', async () => {
  const [silent, busy] = [new ManualStream('silent'), new ManualStream('busy').give('2')];
  const lines = mergeStreams([silent, busy], { ordered: false })[Symbol.asyncIterator]();
  assert.deepEqual(await lines.next(), { done: false, value: { time: '2', from: 'busy' } });
  busy.give('1').end();
  assert.deepEqual(await lines.next(), { done: false, value: { time: '1', from: 'busy' } });
  silent.give('3').end();
  assert.deepEqual(await lines.next(), { done: false, value: { time: '3', from: 'silent' } });
  assert.deepEqual(await lines.next(), { done: true, value: undefined });
});

test('a stream that always has more lets the others through', async () => {
  const endless = {
    async *[Symbol.asyncIterator]() {
      for (;;) yield { time: '1', from: 'endless' };
    },
  };
  for await (const { from } of mergeStreams([endless, new ManualStream('rare').give('2')], { ordered: false })) {
    if (from === 'rare') break;
  }
});

for (const ordered of [true, false]) {
  test(`a reader that stops lets go of every stream (${ordered ? 'ordered' : 'as they come'})`, async () => {
    const streams = [new ManualStream('a').give('1', '3'), new ManualStream('b').give('2')];
    for await (const line of mergeStreams(streams, { ordered })) {
      assert.equal(line.time, '1');
      break;
    }
    for (const stream of streams) stream.end();
    await Promise.all(streams.map(({ closed }) => closed));
  });

  test(`the failure of one stream is the failure of all, and lets go of the others (${ordered ? 'ordered' : 'as they come'})`, async () => {
    const broken = {
      // biome-ignore lint/correctness/useYield: it fails before its first value
      async *[Symbol.asyncIterator](): AsyncGenerator<Line> {
        throw new Error('broken');
      },
    };
    const other = new ManualStream('a').give('1');
    await assert.rejects(all(mergeStreams([other, broken], { ordered })), new Error('broken'));
    other.end();
    await other.closed;
  });
}

test('a stream that fails while it is let go of harms nobody', async () => {
  const stubborn = {
    async *[Symbol.asyncIterator](): AsyncGenerator<Line> {
      try {
        yield { time: '1', from: 'stubborn' };
        yield { time: '2', from: 'stubborn' };
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: a connection that breaks as it is closed
        throw new Error('broken while closing');
      }
    },
  };
  for await (const line of mergeStreams([stubborn], { ordered: true })) {
    assert.equal(line.time, '1');
    break;
  }
  // a rejection that nobody handles is thrown before the next turn
  await new Promise(setImmediate);
});
