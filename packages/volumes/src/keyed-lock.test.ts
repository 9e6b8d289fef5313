import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedLock } from './keyed-lock.ts';

/** Work whose begin and end are written down, and which ends when told. */
function traced() {
  const trace: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async (): Promise<string> => {
    trace.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    trace.push(`${name} ends`);
    return name;
  };
  const end = (name: string): void => ends.get(name)?.();
  return { trace, work, end };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('exclusive work waits for all before it, and shared work only for exclusive work', async () => {
  const lock = new KeyedLock();
  const { trace, work, end } = traced();
  const all = [
    lock.shared('k', work('a')),
    lock.shared('k', work('b')),
    lock.exclusive('k', work('c')),
    lock.shared('k', work('d')),
    lock.exclusive('other', work('e')),
  ];
  await turn();
  assert.deepEqual(trace, ['a begins', 'b begins', 'e begins']);
  for (const name of ['b', 'a', 'c', 'd', 'e']) {
    end(name);
    await turn();
  }
  assert.deepEqual(trace.slice(3), ['b ends', 'a ends', 'c begins', 'c ends', 'd begins', 'd ends', 'e ends']);
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd', 'e']);
});

test('work that fails tells who asked for it, and lets the next begin', async () => {
  const lock = new KeyedLock();
  const fail = async (): Promise<never> => {
    throw new Error('no');
  };
  const failed = [lock.exclusive('k', fail), lock.shared('k', fail)];
  const next = lock.exclusive('k', async () => 'yes');
  for (const each of failed) await assert.rejects(each, /no/);
  assert.equal(await next, 'yes');
});
