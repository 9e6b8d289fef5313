import { EventEmitter, on } from 'node:events';
import type { EnvironmentId } from '@coppice/model';

/** A source of hints, until its signal. */
export type HintSource = (signal: AbortSignal) => AsyncIterable<EnvironmentId>;

/** What all sources hint at, as it comes; ends with the first that ends, and throws what it threw. */
export async function* mergedHints(sources: readonly HintSource[], signal: AbortSignal): AsyncGenerator<EnvironmentId> {
  const bell = new EventEmitter();
  const over = new AbortController();
  const end = AbortSignal.any([signal, over.signal]);
  const hints = on(bell, 'hint', { signal: end });
  let failure: unknown;
  const follow = async (source: HintSource): Promise<void> => {
    try {
      for await (const id of source(end)) bell.emit('hint', id);
    } catch (error) {
      failure ??= error;
    } finally {
      over.abort();
    }
  };
  for (const source of sources) void follow(source);
  try {
    for await (const [id] of hints) yield id as EnvironmentId;
  } catch (error) {
    if (!end.aborted) throw error;
  } finally {
    over.abort();
  }
  if (failure !== undefined) throw failure;
}
