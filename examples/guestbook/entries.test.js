import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addEntry, createTable, latestEntries } from './entries.js';

function recorder(rows = []) {
  const queries = [];
  return { queries, query: async (text, values) => (queries.push([text, values]), { rows }) };
}

test('texts reach the database as values, cut to length, never as SQL', async () => {
  const database = recorder();
  await addEntry(database, { author: "'); DROP TABLE entries; --".padEnd(100, 'x'), message: 'm'.repeat(600) });
  const [[text, values]] = database.queries;
  assert.equal(text, 'INSERT INTO entries (author, message) VALUES ($1, $2)');
  assert.deepEqual(
    values.map((value) => value.length),
    [80, 500],
  );
});

test('making the table twice is harmless, and entries come as they are stored', async () => {
  const database = recorder([{ author: 'Ann', message: 'hi' }]);
  await createTable(database);
  assert.match(database.queries[0][0], /IF NOT EXISTS/);
  assert.deepEqual(await latestEntries(database), [{ author: 'Ann', message: 'hi' }]);
});
