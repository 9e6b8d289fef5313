import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Growth } from '@coppice/volumes';
import { watchVolumes } from './watch-volumes.ts';

const grown: Growth = { kind: 'grown', fromBytes: 1, toBytes: 2 };
const blocked: Growth = { kind: 'blocked', by: 'host' };
const enough: Growth = { kind: 'enough' };

interface Looks {
  readonly kind?: 'own' | 'image';
  /** How the looks at the space end, one after another. */
  readonly growths: readonly (Growth | Error)[];
  /** The same of those at the limits. */
  readonly limits?: readonly (Error | undefined)[];
}

/** What is logged. */
async function logged({ kind = 'image', growths, limits = [] }: Looks): Promise<readonly (readonly [string, unknown])[]> {
  const watching = new AbortController();
  const lines: (readonly [string, unknown])[] = [];
  const [leftGrowths, leftLimits] = [[...growths], [...limits]];
  const growIfNeeded = async (): Promise<Growth> => {
    const end = leftGrowths.shift();
    if (end instanceof Error) throw end;
    return end ?? enough;
  };
  const adjustLimits = async (): Promise<void> => {
    const end = leftLimits.shift();
    if (leftGrowths.length === 0 && leftLimits.length === 0) watching.abort();
    if (end instanceof Error) throw end;
  };
  // The watch itself does not keep a process alive.
  const alive = setInterval(() => undefined, 1_000);
  const log = (event: string, details: unknown): void => void lines.push([event, details]);
  await watchVolumes({ fileSystem: { kind, growIfNeeded }, volumes: { adjustLimits }, log, signal: watching.signal, everyMs: 1 });
  clearInterval(alive);
  return lines;
}

test('an image that grew is told each time, what keeps it from growing once', async () => {
  assert.deepEqual(await logged({ growths: [enough, grown, blocked, blocked, grown, blocked] }), [
    ['volumes.grown', { fromBytes: 1, toBytes: 2 }],
    ['volumes.full', { blockedBy: 'host' }],
    ['volumes.grown', { fromBytes: 1, toBytes: 2 }],
    ['volumes.full', { blockedBy: 'host' }],
  ]);
});

test('a look that fails is told once and is not the last one', async () => {
  const error = new Error('no');
  assert.deepEqual(await logged({ growths: [error, error, grown], limits: [undefined, error, error, undefined] }), [
    ['volumes.not-grown', { error }],
    ['volumes.limits', { error }],
    ['volumes.grown', { fromBytes: 1, toBytes: 2 }],
  ]);
});

test("the host's own file system has limits to look after and does not grow", async () => {
  assert.deepEqual(await logged({ kind: 'own', growths: [{ kind: 'blocked', by: 'not an image' }], limits: [undefined, undefined] }), []);
});

test('in plain folders nothing is watched', async () => {
  const volumes = { adjustLimits: (): Promise<void> => Promise.reject(new Error('asked')) };
  const { signal } = new AbortController();
  await watchVolumes({ fileSystem: { kind: 'none', missing: [] }, volumes, log: () => assert.fail('logged'), signal, everyMs: 1 });
});
