import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, web } from './reading-fixture.ts';

test('sanitising and backups are read', () => {
  const text = `${web()}data: { sanitize: { node: web, run: ./sanitize.sh } }\nbackups: [{ schedule: "0 3 * * *", keep: 14 }, { schedule: "0 0 * * 0" }]\n`;
  const { topology, inactive } = read(text);
  assert.deepEqual(inactive, []);
  assert.deepEqual(topology?.data, { sanitize: { node: 'web', run: './sanitize.sh', timeoutMs: 600_000 } });
  assert.deepEqual(topology?.backups, [
    { schedule: '0 3 * * *', keep: 14 },
    { schedule: '0 0 * * 0', keep: 7 },
  ]);
});

test('sanitising names an application, and backups a schedule', () => {
  const text = `${web()}services: { db: redis:7 }\ndata: { sanitize: { node: db, run: x } }\nbackups: [{ schedule: daily }]\n`;
  assert.deepEqual(complaints(text), [
    'coppice.yaml:6:27  node: no application is named "db"; there are: web',
    'coppice.yaml:7:23  schedule: "daily" is no schedule; there are 1 fields; write five: minute, hour, day of month, month, day of week',
  ]);
});

test('sanitising has from a second to a day, and a command that does something', () => {
  const sanitize = (rest: string): string => `${web()}data: { sanitize: { node: web, ${rest} } }\n`;
  for (const timeout of ['1s', '90', '1d']) assert.deepEqual(complaints(sanitize(`run: x, timeout: ${timeout}`)), [], timeout);
  assert.deepEqual(
    ['500ms', '0', '25h', '2d'].flatMap((timeout) => complaints(sanitize(`run: x, timeout: ${timeout}`))),
    ['500ms', '0', '25h', '2d'].map((timeout) => `coppice.yaml:5:49  timeout: "${timeout}" is out of range; from 1s to 1d`),
  );
  assert.deepEqual(complaints(sanitize('run: " \\n"')), [
    'coppice.yaml:5:37  run: this command does nothing, so every copy would pass as sanitised; name what takes out of a copy what must not be seen',
  ]);
});

test('sanitising runs in an application, not in a worker', () => {
  assert.match(
    complaints(`${web('workers: { queue: { start: x } }')}data: { sanitize: { node: web--queue, run: x } }\n`).join('\n'),
    /^coppice\.yaml:6:27 {2}node: "web--queue" is not allowed here/,
  );
});

test('of each schedule at least one and at most a thousand backups are kept', () => {
  const keep = (count: string): string => `${web()}backups: [{ schedule: "0 3 * * *", keep: ${count} }]\n`;
  for (const count of ['1', '1000']) assert.deepEqual(complaints(keep(count)), [], count);
  assert.deepEqual(
    ['0', '-1', '1001', '1.5', '"7"'].flatMap((count) => complaints(keep(count))),
    [
      'coppice.yaml:5:42  keep: 0 is less than 1, the least',
      'coppice.yaml:5:42  keep: -1 is less than 1, the least',
      'coppice.yaml:5:42  keep: 1001 is more than 1000, the most',
      'coppice.yaml:5:42  keep: this must be a whole number, not 1.5',
      'coppice.yaml:5:42  keep: this must be a whole number, not "7"',
    ],
  );
});

test('a schedule of backups that never comes is an error', () => {
  assert.deepEqual(complaints(`${web()}backups: [{ schedule: "0 3 31 2 *" }]\n`), [
    'coppice.yaml:5:23  schedule: "0 3 31 2 *" is no schedule; it never comes: none of its months has such a day',
  ]);
});

test('one schedule cannot stand twice: how many to keep would be two numbers', () => {
  const rules = '[{ schedule: "0 3 * * *", keep: 7 }, { schedule: "0 4 * * *" }, { schedule: " 0  3 * * *", keep: 30 }]';
  assert.deepEqual(complaints(`${web()}backups: ${rules}\n`), [
    'coppice.yaml:5:86  schedule: " 0  3 * * *" stands twice; keep one of them',
  ]);
});
