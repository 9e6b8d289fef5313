// Data of any size in PostgreSQL, Redis and files. `/` gives one row for a GET and writes 100 KB for a POST; `/newest` tells what was written
// last, `/digest` all there is; a POST to `/fill` writes one part, see `writePart`.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import pg from 'pg';
import { createClient, RESP_TYPES } from 'redis';

const database = new pg.Pool({ connectionString: process.env.DB_URL, max: 5 });
database.on('error', (error) => console.error(`database: ${error.message}`));
const cache = createClient({ url: process.env.CACHE_URL });
cache.on('error', (error) => console.error(`cache: ${error.message}`));
await cache.connect();
const blobs = cache.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
await database.query('CREATE EXTENSION IF NOT EXISTS pgcrypto');
await database.query('CREATE TABLE IF NOT EXISTS rows (id serial PRIMARY KEY, body bytea NOT NULL)');

const rowBytes = 1_000;
const keyBytes = 10_000;
const fileBytes = 250_000;

/** Random bytes, so that nothing can be compressed: all three stores together hold so many more when it resolves. */
async function writePart({ rows, keys, files }) {
  const added = database.query('INSERT INTO rows (body) SELECT gen_random_bytes($1) FROM generate_series(1, $2)', [rowBytes, rows]);
  const kept = Array.from({ length: keys }, async () => cache.set(`key:${await cache.incr('keys')}`, randomBytes(keyBytes)));
  const written = Array.from({ length: files }, async () => writeFile(`files/${await cache.incr('files')}`, randomBytes(fileBytes)));
  await Promise.all([added, ...kept, ...written]);
}

const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

async function oneRow() {
  const { rows } = await database.query(
    'SELECT id, body FROM rows WHERE id >= (SELECT floor(random() * max(id))::int FROM rows) ORDER BY id LIMIT 1',
  );
  return rows.map(({ id, body }) => `${id} ${md5(body)}`).join('');
}

async function newest() {
  const [{ rows }, keys, files] = await Promise.all([
    database.query('SELECT id, md5(body) AS sum FROM rows ORDER BY id DESC LIMIT 1'),
    cache.get('keys'),
    cache.get('files'),
  ]);
  const [value, file] = await Promise.all([blobs.get(`key:${keys}`), files === null ? '' : readFile(`files/${files}`)]);
  return `row ${rows[0]?.id} ${rows[0]?.sum}; key ${keys} ${md5(value ?? '')}; file ${files} ${md5(file)}`;
}

async function digest() {
  // In any order and in constant memory: ten gigabytes of rows are ten million checksums.
  const { rows } = await database.query(
    "SELECT count(*) AS count, bit_xor(('x' || md5(id || md5(body)))::bit(64)::bigint) AS sum FROM rows",
  );
  const keys = createHash('md5');
  const count = Number(await cache.get('keys'));
  for (let key = 1; key <= count; key += 1) keys.update(`${key} ${md5((await blobs.get(`key:${key}`)) ?? 'missing')};`);
  const files = createHash('md5');
  const names = (await readdir('files')).sort();
  for (const name of names) {
    files.update(name);
    for await (const bytes of createReadStream(`files/${name}`)) files.update(bytes);
  }
  return `rows ${rows[0].count} ${rows[0].sum}; keys ${count} ${keys.digest('hex')}; files ${names.length} ${files.digest('hex')}`;
}

const handlers = {
  'GET /': oneRow,
  'POST /': () => writePart({ rows: 80, keys: 2, files: 0 }),
  'GET /newest': newest,
  'GET /digest': digest,
  'POST /fill': (url) => writePart(Object.fromEntries([...url.searchParams].map(([name, value]) => [name, Number(value)]))),
};

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url, 'http://app');
    const handler = handlers[`${request.method} ${url.pathname}`];
    if (handler) response.end(await handler(url));
    else response.writeHead(404).end();
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
