interface Timed {
  readonly time: string;
}

/** Several streams as one. `ordered`: by time, each stream being ordered itself; else as values come. */
export async function* mergeStreams<Value extends Timed>(
  streams: readonly AsyncIterable<Value>[],
  options: { readonly ordered: boolean },
): AsyncIterable<Value> {
  const sources = streams.map((stream) => stream[Symbol.asyncIterator]());
  const heads = new Map<AsyncIterator<Value>, Promise<Head<Value>>>(sources.map((source) => [source, head(source)]));
  try {
    while (heads.size > 0) {
      const { source, result } = options.ordered ? earliest(await Promise.all(heads.values())) : await Promise.race(heads.values());
      if (result.done === true) heads.delete(source);
      else {
        yield result.value;
        heads.set(source, head(source));
      }
    }
  } finally {
    // Not waited for: one may hang until its next value. Nobody reads it any more, so its failure is nobody's.
    for (const source of sources) source.return?.().catch(() => undefined);
  }
}

interface Head<Value> {
  readonly source: AsyncIterator<Value>;
  readonly result: IteratorResult<Value>;
}

async function head<Value>(source: AsyncIterator<Value>): Promise<Head<Value>> {
  return { source, result: await source.next() };
}

/** An ended stream first, so that it leaves; then the oldest value. */
function earliest<Value extends Timed>(heads: readonly Head<Value>[]): Head<Value> {
  const timeOf = ({ result }: Head<Value>): string => (result.done === true ? '' : result.value.time);
  return heads.reduce((best, candidate) => (timeOf(candidate) < timeOf(best) ? candidate : best));
}
