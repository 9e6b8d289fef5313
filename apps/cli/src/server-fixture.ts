import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** For tests: what the server in the test was asked for. */
export interface Asked {
  readonly method: string;
  /** With its query, below `/v1`. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** For tests: a server on a port of its own, closed when the test ends. */
export interface ServerFixture {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** For tests: a real HTTP server that answers as `answer` says. */
export async function serverFixture(t: TestContext, answer: (asked: Asked, response: ServerResponse) => void): Promise<ServerFixture> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, path: url.replace(/^\/v1/, ''), headers, body: Buffer.concat(body).toString('utf8') };
      asked.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(
    async () =>
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** For tests: answers with JSON. */
export function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** For tests: answers with problem details of RFC 9457. */
export function sendProblem(response: ServerResponse, status: number, problem: object): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ status, ...problem }));
}
