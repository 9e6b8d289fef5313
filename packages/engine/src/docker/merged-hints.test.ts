import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { EnvironmentId } from '@coppice/model';
import { environment } from '../testing/specs.ts';
import { type HintSource, mergedHints } from './merged-hints.ts';

/** Says these, then stays until it is told to end. */
function says(...names: readonly string[]): HintSource {
  return async function* (signal) {
    for (const name of names) yield environment(name);
    if (!signal.aborted) await once(signal, 'abort');
  };
}

async function taken(hints: AsyncIterable<EnvironmentId>, count: number): Promise<readonly string[]> {
  const found: string[] = [];
  if (count === 0) return found;
  for await (const id of hints) if (found.push(id) === count) break;
  return found.sort();
}

test('hints of all sources come, and who stops listening ends them all', async () => {
  assert.deepEqual(await taken(mergedHints([says('e_a'), says('e_b', 'e_c')], new AbortController().signal), 3), ['e_a', 'e_b', 'e_c']);
});

test('the first source that ends, ends all', async () => {
  const ends: HintSource = async function* () {
    yield environment('e_a');
  };
  assert.deepEqual(await taken(mergedHints([says(), ends], new AbortController().signal), 9), ['e_a']);
});

test('what a source throws goes through', async () => {
  const breaks: HintSource = async function* () {
    yield environment('e_a');
    throw new Error('broken');
  };
  await assert.rejects(taken(mergedHints([says(), breaks], new AbortController().signal), 9), /broken/);
});

test('the signal ends it', async () => {
  assert.deepEqual(await taken(mergedHints([says('e_a')], AbortSignal.timeout(20)), 9), ['e_a']);
});
