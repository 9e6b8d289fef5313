import assert from 'node:assert/strict';
import type { PushResult, TestServer } from '../harness.ts';
import { halvesOf, noHalves, type Standing, standingOf } from './standing.ts';
import { until } from './until.ts';

/** The lines that the server said, without git's prefix; git pads them with blanks for terminals. */
export function saidBy({ output }: PushResult): readonly string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice('remote: '.length).trimEnd());
}

/** Asserts that a push was refused with these words and that the project stands as before. */
export async function assertRefused(push: PushResult, expected: RefusedExpectation): Promise<void> {
  assert.notEqual(push.code, 0, `the push was accepted:\n${push.output}`);
  for (const words of expected.says) assert.match(push.output, words);
  assert.doesNotMatch(push.output, /live at|internal error|its log says why/);
  assert.deepEqual(await standingOf(expected.server, expected.project), expected.before, push.output);
  await assertNothingHalfDone(expected.server);
}

export interface RefusedExpectation {
  readonly server: TestServer;
  readonly project: string;
  /** As the project stood before the push. */
  readonly before: Standing;
  readonly says: readonly RegExp[];
}

/** Asserts that no push left anything on its way: containers of builds, mounts, loop devices, quarantines, networks. */
export async function assertNothingHalfDone(server: TestServer): Promise<void> {
  // A quarantine goes with receive-pack, a moment after the client has its answer.
  await until(async () => JSON.stringify(await halvesOf(server)) === JSON.stringify(noHalves), {
    what: `nothing is half done (${JSON.stringify(await halvesOf(server))})`,
    withinMs: 5_000,
  });
}
