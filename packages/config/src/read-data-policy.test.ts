import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, web } from './reading-fixture.ts';

test('sanitising and backups are read and said not to be done yet', () => {
  const text = `${web()}data: { sanitize: { node: web, run: ./sanitize.sh } }\nbackups: [{ schedule: "0 3 * * *", keep: 14 }, { schedule: "0 0 * * 0" }]\n`;
  const { topology, inactive } = read(text);
  assert.deepEqual(topology?.data, { sanitize: { node: 'web', run: './sanitize.sh', timeoutMs: 600_000 } });
  assert.deepEqual(topology?.backups, [
    { schedule: '0 3 * * *', keep: 14 },
    { schedule: '0 0 * * 0', keep: 7 },
  ]);
  assert.deepEqual(inactive, [
    'coppice.yaml:5:1  sanitising of data is not done yet',
    'coppice.yaml:6:1  scheduled backups are not taken yet',
  ]);
});

test('sanitising names an application, and backups a schedule', () => {
  const text = `${web()}services: { db: redis:7 }\ndata: { sanitize: { node: db, run: x } }\nbackups: [{ schedule: daily }]\n`;
  assert.deepEqual(complaints(text), [
    'coppice.yaml:6:27  node: no application is named "db"; there are: web',
    'coppice.yaml:7:23  schedule: "daily" is no schedule; there are 1 fields; write five: minute, hour, day of month, month, day of week',
  ]);
});
