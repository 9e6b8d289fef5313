import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SuiteEvent } from './suite-event.ts';
import { closingLine, countedTests, sumTallies, tallyOf } from './tally.ts';

function event(name: string, overrides: Partial<SuiteEvent> = {}): SuiteEvent {
  return { name, nesting: 0, kind: 'test', result: 'passed', durationMs: 1, failureType: undefined, error: undefined, ...overrides };
}

function counted(events: readonly SuiteEvent[]): readonly string[] {
  return countedTests(events).map(({ path, result }) => `${result} ${path.join('/')}`);
}

test('leaves count, and what only holds them does not', () => {
  const events = [
    event('a', { nesting: 2 }),
    event('b', { nesting: 2, result: 'skipped' }),
    event('inner', { nesting: 1, kind: 'suite' }),
    event('c', { nesting: 1, result: 'failed' }),
    event('outer', { kind: 'suite', result: 'failed', failureType: 'subtestsFailed' }),
    event('d'),
  ];
  assert.deepEqual(counted(events), ['passed outer/inner/a', 'skipped outer/inner/b', 'failed outer/c', 'passed d']);
});

test('a parent that failed for a reason of its own counts besides its children', () => {
  const events = [event('a', { nesting: 1 }), event('outer', { result: 'failed', failureType: 'hookFailed', error: 'after' })];
  assert.deepEqual(counted(events), ['passed outer/a', 'failed outer']);
});

test('an empty or skipped suite is a skipped test', () => {
  assert.deepEqual(counted([event('empty', { kind: 'suite' }), event('left', { kind: 'suite', result: 'skipped' })]), [
    'skipped empty',
    'skipped left',
  ]);
});

test('children whose parent never ended count', () => {
  assert.deepEqual(counted([event('a', { nesting: 1 }), event('b', { nesting: 1, result: 'failed' })]), ['passed a', 'failed b']);
});

test('the closing line has the form that other programs read', () => {
  const tally = sumTallies([tallyOf([{ result: 'passed' }, { result: 'passed' }, { result: 'failed' }]), tallyOf([{ result: 'skipped' }])]);
  assert.equal(closingLine(tally), '2 passed, 1 failed, 1 skipped');
});
