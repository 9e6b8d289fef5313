import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Growth } from '@coppice/volumes';
import { watchVolumes } from './watch-volumes.ts';

/** What is logged while the looks come to these ends, one after another. */
async function logged(ends: readonly (Growth | Error)[]): Promise<readonly (readonly [string, unknown])[]> {
  const watching = new AbortController();
  const lines: (readonly [string, unknown])[] = [];
  const left = [...ends];
  const growIfNeeded = async (): Promise<Growth> => {
    const end = left.shift();
    if (end === undefined) watching.abort();
    if (end instanceof Error) throw end;
    return end ?? { kind: 'enough' };
  };
  // The watch itself does not keep a process alive.
  const alive = setInterval(() => undefined, 1_000);
  const log = (event: string, details: unknown): void => void lines.push([event, details]);
  await watchVolumes({ kind: 'image', growIfNeeded }, log, { signal: watching.signal, everyMs: 1 });
  clearInterval(alive);
  return lines;
}

test('an image that grew is told each time, what keeps it from growing once', async () => {
  const grown: Growth = { kind: 'grown', fromBytes: 1, toBytes: 2 };
  const blocked: Growth = { kind: 'blocked', by: 'host' };
  assert.deepEqual(await logged([{ kind: 'enough' }, grown, blocked, blocked, grown, blocked]), [
    ['volumes.grown', { fromBytes: 1, toBytes: 2 }],
    ['volumes.full', { blockedBy: 'host' }],
    ['volumes.grown', { fromBytes: 1, toBytes: 2 }],
    ['volumes.full', { blockedBy: 'host' }],
  ]);
});

test('a look that fails is told and not the last one', async () => {
  const error = new Error('no');
  assert.deepEqual(await logged([error, { kind: 'grown', fromBytes: 1, toBytes: 2 }]), [
    ['volumes.not-grown', { error }],
    ['volumes.grown', { fromBytes: 1, toBytes: 2 }],
  ]);
});

test('where there is no image nothing is watched', async () => {
  const growIfNeeded = (): Promise<Growth> => Promise.reject(new Error('asked'));
  await watchVolumes({ kind: 'own', growIfNeeded }, () => assert.fail('logged'), { signal: new AbortController().signal });
});
