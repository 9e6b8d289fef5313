/** The table of the guestbook; made by the deploy hook, once per release that needs it. */
export async function createTable(database) {
  await database.query('CREATE TABLE IF NOT EXISTS entries (id serial PRIMARY KEY, author text NOT NULL, message text NOT NULL)');
}

/** What people wrote, newest first. */
export async function latestEntries(database) {
  const { rows } = await database.query('SELECT author, message FROM entries ORDER BY id DESC LIMIT 50');
  return rows;
}

/** Adds an entry; both texts are cut to what the table's readers show. */
export async function addEntry(database, { author, message }) {
  await database.query('INSERT INTO entries (author, message) VALUES ($1, $2)', [author.slice(0, 80), message.slice(0, 500)]);
}
