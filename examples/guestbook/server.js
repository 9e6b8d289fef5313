import { createServer } from 'node:http';
import pg from 'pg';
import { createClient } from 'redis';
import { addEntry, latestEntries } from './entries.js';
import { renderPage } from './page.js';

const database = new pg.Pool({ connectionString: process.env.DB_URL, max: 5 });
database.on('error', (error) => console.error(`database: ${error.message}`));
const cache = createClient({ url: process.env.CACHE_URL });
cache.on('error', (error) => console.error(`cache: ${error.message}`));
await cache.connect();

const maxBodyBytes = 10_000;

async function readForm(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > maxBodyBytes) throw Object.assign(new Error('too much'), { status: 413 });
  }
  return Object.fromEntries(new URLSearchParams(text));
}

async function sign(request, response) {
  const { author = '', message = '' } = await readForm(request);
  if (author === '' || message === '') throw Object.assign(new Error('a name and words are needed'), { status: 400 });
  await addEntry(database, { author, message });
  response.writeHead(303, { location: '/' }).end();
}

async function show(response) {
  const [visits, entries] = await Promise.all([cache.incr('visits'), latestEntries(database)]);
  const page = renderPage({ visits, entries, environment: process.env.PLATFORM_ENVIRONMENT ?? 'nowhere' });
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
}

const server = createServer(async (request, response) => {
  try {
    if (request.method === 'POST' && request.url === '/entries') await sign(request, response);
    else if (request.method === 'GET' && request.url === '/') await show(response);
    else response.writeHead(404).end('not found\n');
  } catch (error) {
    response.writeHead(error.status ?? 500).end(`${error.message}\n`);
  }
});
server.listen(Number(process.env.PORT));

process.on('SIGTERM', () => {
  server.close(async () => {
    await Promise.all([database.end(), cache.close()]);
  });
  server.closeIdleConnections();
});
