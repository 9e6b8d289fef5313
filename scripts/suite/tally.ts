import type { SuiteEvent } from './suite-event.ts';

/** How many tests ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: 0 };

/** A test that counts, with the names of what it stands in. */
export interface CountedTest extends Pick<SuiteEvent, 'result' | 'durationMs' | 'error'> {
  readonly path: readonly string[];
}

/**
 * The tests that count among the events of one file: leaves, and parents that failed for a reason of their own (a hook, say). A suite that
 * was skipped, or is empty, counts as one skipped test.
 */
export function countedTests(events: readonly SuiteEvent[]): readonly CountedTest[] {
  const counted: CountedTest[] = [];
  /** What waits for its parent, by nesting: children come first. */
  const waiting = new Map<number, CountedTest[]>();
  for (const event of events) {
    const children = waiting.get(event.nesting + 1) ?? [];
    waiting.delete(event.nesting + 1);
    const own = ownResult(event, children.length > 0);
    const below = children.map((child) => ({ ...child, path: [event.name, ...child.path] }));
    const here = own === undefined ? below : [...below, own];
    if (event.nesting === 0) counted.push(...here);
    else waiting.set(event.nesting, [...(waiting.get(event.nesting) ?? []), ...here]);
  }
  // A file that was cut off leaves children whose parents never ended.
  for (const left of waiting.values()) counted.push(...left);
  return counted;
}

function ownResult(event: SuiteEvent, isParent: boolean): CountedTest | undefined {
  const { name, durationMs, error } = event;
  if (isParent) {
    return event.result === 'failed' && event.failureType !== 'subtestsFailed'
      ? { path: [name], result: 'failed', durationMs, error }
      : undefined;
  }
  return { path: [name], result: event.kind === 'suite' && event.result === 'passed' ? 'skipped' : event.result, durationMs, error };
}

/** The sum over tests. */
export function tallyOf(tests: readonly Pick<CountedTest, 'result'>[]): Tally {
  const count = (result: CountedTest['result']): number => tests.filter((test) => test.result === result).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

/** The sum over tallies. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, tally) => ({ passed: sum.passed + tally.passed, failed: sum.failed + tally.failed, skipped: sum.skipped + tally.skipped }),
    emptyTally,
  );
}

/** The closing line, which other programs read: exactly this form. */
export function closingLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
}
