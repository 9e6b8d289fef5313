// Keeps numbers. A POST to `/append?n=N` writes N as a file that is synced, then into PostgreSQL, then into Redis, and answers only then; 409
// with the last number where N is not the next. `/state` tells of each store how many numbers it holds, the last of them, and what is wrong
// with the newest thousand.
import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:http';
import pg from 'pg';
import { createClient } from 'redis';

const database = new pg.Pool({ connectionString: process.env.DB_URL, max: 2 });
database.on('error', (error) => console.error(`database: ${error.message}`));
const cache = createClient({ url: process.env.CACHE_URL });
cache.on('error', (error) => console.error(`cache: ${error.message}`));
await cache.connect();
await database.query('CREATE TABLE IF NOT EXISTS numbers (n int PRIMARY KEY, body bytea NOT NULL, sum text NOT NULL)');

const folder = 'numbers';
const filesPerFolder = 500;
/** So many are read again: whatever was on disk a while before a copy is not what a copy tears. */
const newest = 1_000;
const sumOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** 1 to 16 KB that are the same for a number always, and cannot be compressed. */
function bodyOf(n) {
  const key = createHash('md5').update(String(n)).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(1024 * (1 + ((n * 7) % 16))));
}

const folderOf = (n) => `${folder}/${Math.floor(n / filesPerFolder)}`;

async function synced(path, write) {
  const file = await open(path, write === undefined ? 'r' : 'w');
  try {
    if (write !== undefined) await file.writeFile(write);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeFileOf(n, body, sum) {
  const place = folderOf(n);
  if ((await mkdir(place, { recursive: true })) !== undefined) await synced(folder);
  const draft = `${place}/draft-${n}-${process.pid}`;
  await synced(draft, Buffer.concat([Buffer.from(`${sum}\n`), body]));
  await rename(draft, `${place}/${n}`);
  await synced(place);
}

async function append(n) {
  const last = await cache.zCard('numbers');
  if (n !== last + 1) return { status: 409, text: String(last) };
  const body = bodyOf(n);
  const sum = sumOf(body);
  await writeFileOf(n, body, sum);
  await database.query('INSERT INTO numbers (n, body, sum) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [n, body, sum]);
  await cache.zAdd('numbers', { score: n, value: `${n} ${sum}` });
  return { status: 200, text: String(n) };
}

async function heldFiles() {
  const numbers = [];
  for (const place of await readdir(folder)) {
    for (const name of await readdir(`${folder}/${place}`)) if (!name.startsWith('draft-')) numbers.push(Number(name));
  }
  return numbers.sort((a, b) => a - b);
}

async function isWhole(n) {
  const content = await readFile(`${folderOf(n)}/${n}`);
  const body = bodyOf(n);
  return content.equals(Buffer.concat([Buffer.from(`${sumOf(body)}\n`), body]));
}

async function state() {
  const files = await heldFiles();
  const { rows } = await database.query('SELECT n FROM numbers ORDER BY n');
  const latest = await database.query('SELECT n, body, sum FROM numbers ORDER BY n DESC LIMIT $1', [newest]);
  const keys = (await cache.zRange('numbers', 0, -1)).map((value) => value.split(' '));
  const wrong = [];
  for (const n of files.slice(-newest)) if (!(await isWhole(n))) wrong.push(`file ${n} is torn`);
  for (const { n, body, sum } of latest.rows) {
    if (!body.equals(bodyOf(n)) || sum !== sumOf(body)) wrong.push(`row ${n} is not what was written`);
  }
  for (const [n, sum] of keys.slice(-newest)) if (sum !== sumOf(bodyOf(Number(n)))) wrong.push(`key ${n} is not what was written`);
  const held = (numbers) => ({ count: numbers.length, last: numbers.at(-1) ?? 0 });
  return { files: held(files), rows: held(rows.map(({ n }) => n)), keys: held(keys.map(([n]) => Number(n))), wrong };
}

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url, 'http://app');
    if (request.method === 'POST' && url.pathname === '/append') {
      const { status, text } = await append(Number(url.searchParams.get('n')));
      response.writeHead(status).end(text);
    } else if (url.pathname === '/state') response.end(JSON.stringify(await state()));
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
