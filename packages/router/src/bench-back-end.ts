import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

// The application that the benchmark asks, as an instance (with PORT) and as a process of its own (on any port, until its input ends): what most small applications are, one process of Node that
// looks at the path, makes a page of 1 KB from data, and gives it a type and an entity tag.
const items = Array.from({ length: 12 }, (_, index) => ({
  id: index,
  author: `reader ${index}`,
  text: 'A line of a guest book, not too long.',
}));

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const body = JSON.stringify({ path: url.pathname, host: request.headers.host, items });
  const tag = createHash('sha1').update(body).digest('base64url');
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache',
    etag: `"${tag}"`,
  });
  response.end(body);
});
const port = process.env['PORT'];
server.listen({ port: Number(port ?? 0), ...(port === undefined ? { host: '127.0.0.1' } : {}) }, () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') process.stdout.write(`${address.port}\n`);
});
if (port === undefined) process.stdin.on('end', () => process.exit(0)).resume();
