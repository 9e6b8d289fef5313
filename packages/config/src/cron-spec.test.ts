import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronSpecProblem, nextTimeOf } from './cron-spec.ts';

/** So many times of a schedule after a moment, without seconds. */
function times(schedule: string, after: string, count: number, seed = ''): readonly string[] {
  const found: string[] = [];
  for (let last = new Date(after); found.length < count; ) {
    last = nextTimeOf(schedule, { after: last, seed }) ?? assert.fail(`${schedule} ends`);
    found.push(last.toISOString().replace(':00.000Z', ''));
  }
  return found;
}

test('the next time comes after the moment that is asked about, never at it', () => {
  assert.deepEqual(times('0 3 * * *', '2026-03-01T02:59:59.999Z', 2), ['2026-03-01T03:00', '2026-03-02T03:00']);
  assert.deepEqual(times('0 3 * * *', '2026-03-01T03:00:00.000Z', 1), ['2026-03-02T03:00']);
  assert.deepEqual(times('0 3 * * *', '2026-03-01T03:00:00.001Z', 1), ['2026-03-02T03:00']);
  assert.deepEqual(times('* * * * *', '2026-12-31T23:59:30.000Z', 1), ['2027-01-01T00:00']);
});

test('lists, ranges, steps and names are all taken', () => {
  assert.deepEqual(times('*/25 * * * *', '2026-03-01T00:00:00Z', 3), ['2026-03-01T00:25', '2026-03-01T00:50', '2026-03-01T01:00']);
  assert.deepEqual(times('50,10 8-12/2 * * *', '2026-03-01T08:20:00Z', 3), ['2026-03-01T08:50', '2026-03-01T10:10', '2026-03-01T10:50']);
  assert.deepEqual(times('0 0 1 feb,OCT *', '2026-03-01T00:00:00Z', 2), ['2026-10-01T00:00', '2027-02-01T00:00']);
});

test('Sunday is 0 and 7', () => {
  for (const day of ['0', '7', 'sun', '7-7'])
    assert.deepEqual(times(`0 0 * * ${day}`, '2026-03-02T00:00:00Z', 1), ['2026-03-08T00:00'], day);
  assert.deepEqual(times('0 0 * * 6-7', '2026-03-02T00:00:00Z', 2), ['2026-03-07T00:00', '2026-03-08T00:00']);
});

test('where day of month and of week are both limited either is enough, as cron has it', () => {
  assert.deepEqual(times('0 0 13 * fri', '2026-03-07T00:00:00Z', 3), ['2026-03-13T00:00', '2026-03-20T00:00', '2026-03-27T00:00']);
  assert.deepEqual(times('0 0 20 * thu', '2026-03-16T00:00:00Z', 2), ['2026-03-19T00:00', '2026-03-20T00:00']);
  assert.deepEqual(times('0 0 */2 * fri', '2026-03-07T00:00:00Z', 2), ['2026-03-13T00:00', '2026-03-27T00:00']);
});

test('days that a month lacks are passed over, and the 29th of February comes in leap years, over 2100 too', () => {
  assert.deepEqual(times('0 0 31 * *', '2026-03-31T00:00:00Z', 2), ['2026-05-31T00:00', '2026-07-31T00:00']);
  assert.deepEqual(times('0 0 29 2 *', '2095-01-01T00:00:00Z', 2), ['2096-02-29T00:00', '2104-02-29T00:00']);
  assert.deepEqual(times('0 0 29 2 */7', '2084-01-01T00:00:00Z', 1), ['2088-02-29T00:00']);
});

test('H is a value of the seed’s own that stays the same and keeps to its range', () => {
  const one = times('H H(1-5) * * *', '2026-03-01T00:00:00Z', 3, 'shop');
  assert.deepEqual(one, times('H H(1-5) * * *', '2026-03-01T00:00:00Z', 3, 'shop'));
  assert.deepEqual(new Set(one.map((time) => time.slice(11))).size, 1);
  const minutes = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) {
    const [time = ''] = times('H H(1-5) * * *', '2026-03-01T00:00:00Z', 1, String(seed));
    const [hour = '', minute = ''] = time.slice(11).split(':');
    assert.ok(Number(hour) >= 1 && Number(hour) <= 5, time);
    minutes.add(minute);
  }
  assert.ok(minutes.size > 40, `${minutes.size} different minutes`);
});

test('H with a step begins anywhere within it, and H as day of the month is one that each month has', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const at = times('H/15 0 * * *', '2026-03-01T00:00:00Z', 5, String(seed)).map((time) => Number(time.slice(14)));
    const [first = 0] = times('H/15 0 2 * *', '2026-03-01T00:00:00Z', 1, String(seed)).map((time) => Number(time.slice(14)));
    assert.ok(first < 15 && at.includes(first + 45), `${seed}: ${at.join()}`);
    assert.equal(times('0 0 H * *', '2026-01-31T00:00:00Z', 1, String(seed))[0]?.slice(0, 8), '2026-02-');
  }
});

test('each time is one that every field allows, and none in between is left out', () => {
  const schedules = ['7,20-40/9 */5 * * *', '0 12 10-20 * *', '30 6 * 3,4 1-5', '15 */11 28-31 2-3 *', '0 0 5 3 sat'];
  for (const schedule of schedules) {
    const start = Date.UTC(2026, 2, 1);
    const expected: string[] = [];
    for (let minute = 1; minute <= 60 * 24 * 45; minute += 1) {
      const time = new Date(start + minute * 60_000);
      if (allows(schedule, time)) expected.push(time.toISOString().replace(':00.000Z', ''));
    }
    assert.deepEqual(times(schedule, new Date(start).toISOString(), expected.length), expected, schedule);
  }
});

test('a schedule that never comes is a problem, and has no next time', () => {
  for (const spec of ['0 3 31 2 *', '0 0 30,31 feb *', '0 0 31 4,6,9,11 *', '0 0 H(30-31) 2 *']) {
    assert.equal(cronSpecProblem(spec), 'it never comes: none of its months has such a day', spec);
    assert.equal(nextTimeOf(spec, { after: new Date(0), seed: '' }), undefined, spec);
  }
  for (const spec of ['0 0 29 2 *', '0 0 31 2 mon', '0 0 31 2,3 *', '0 0 H 2 *', '0 0 */31 2 *'])
    assert.equal(cronSpecProblem(spec), undefined, spec);
});

test('what is no schedule has no next time', () => {
  assert.equal(nextTimeOf('daily', { after: new Date(0), seed: '' }), undefined);
});

/** By the definition, for the few forms above. */
function allows(schedule: string, time: Date): boolean {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = schedule.replace('sat', '6').split(' ');
  const hasDay = within(day, time.getUTCDate(), 1);
  const hasWeekday = within(weekday, time.getUTCDay(), 0);
  const days = day !== '*' && weekday !== '*' ? hasDay || hasWeekday : hasDay && hasWeekday;
  return within(minute, time.getUTCMinutes(), 0) && within(hour, time.getUTCHours(), 0) && within(month, time.getUTCMonth() + 1, 1) && days;
}

function within(field: string, value: number, least: number): boolean {
  return field.split(',').some((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [from = least, to = range === '*' ? 99 : from] = range === '*' ? [] : range.split('-').map(Number);
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}
