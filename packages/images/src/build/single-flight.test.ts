import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { SingleFlight } from './single-flight.ts';
import { Slots } from './slots.ts';

test('ten callers with one key cause one run and all hear of it', async () => {
  const flights = new SingleFlight<string>();
  let runs = 0;
  const heard: string[][] = [];
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => {
      const lines: string[] = [];
      heard[index] = lines;
      return flights.join('key', { onProgress: (line) => lines.push(line) }, async (say) => {
        runs += 1;
        say('working');
        return 'image';
      });
    }),
  );
  assert.equal(runs, 1);
  assert.deepEqual(heard, Array(10).fill(['working']));
  assert.deepEqual(
    answers.map((answer) => answer.leads),
    [true, ...Array(9).fill(false)],
  );
});

test('a caller that gives up leaves the others alone; the work is aborted when all have', async () => {
  const flights = new SingleFlight<string>();
  const finish = Promise.withResolvers<string>();
  const [first, second] = [new AbortController(), new AbortController()];
  let seen: AbortSignal | undefined;
  const join = (signal: AbortSignal) =>
    flights.join('key', { onProgress: () => undefined, signal }, (_, shared) => {
      seen = shared;
      return finish.promise;
    });
  const one = join(first.signal);
  const two = join(second.signal);
  first.abort();
  await assert.rejects(one, (error) => isCoppiceError(error, 'cancelled'));
  assert.equal(seen?.aborted, false);
  second.abort();
  await assert.rejects(two, (error) => isCoppiceError(error, 'cancelled'));
  assert.equal(seen?.aborted, true);
  const third = flights.join('key', { onProgress: () => undefined }, async () => 'anew');
  assert.deepEqual(await third, { result: 'anew', leads: true });
  finish.resolve('late');
});

test('work that failed is tried again by the next caller', async () => {
  const flights = new SingleFlight<string>();
  const passenger = { onProgress: () => undefined };
  await assert.rejects(
    flights.join('key', passenger, () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal((await flights.join('key', passenger, async () => 'whole')).result, 'whole');
});

test('two slots let two run at once, in order, and one that waits can give up', async () => {
  const slots = new Slots(2);
  const signal = new AbortController().signal;
  const doors = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const runs = doors.map((door, index) =>
    slots.use(signal, async () => {
      started.push(index);
      await door.promise;
    }),
  );
  const impatient = new AbortController();
  const gaveUp = slots.use(impatient.signal, async () => assert.fail('must not run'));
  assert.deepEqual(slots.load(), { running: 2, waiting: 3 });
  impatient.abort(new Error('enough'));
  await assert.rejects(gaveUp, /enough/);
  assert.deepEqual(started, [0, 1]);
  doors[1]?.resolve();
  await runs[1];
  await Promise.resolve();
  assert.deepEqual(started, [0, 1, 2]);
  for (const door of doors) door.resolve();
  await Promise.all(runs);
  assert.deepEqual(started, [0, 1, 2, 3]);
  assert.deepEqual(slots.load(), { running: 0, waiting: 0 });
});
