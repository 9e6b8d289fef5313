import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { mustRun } from '../../test/e2e/harness.ts';

/** Repositories over HTTP by git's own `http-backend` and nothing else: what a push costs at the least. */
export interface PlainGitHost {
  /** Makes a bare repository; answers its remote. */
  create(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Serves the bare repositories below `folder` on a free port of loopback. */
export async function startPlainGitHost(folder: string): Promise<PlainGitHost> {
  const server = createServer((request, response) => serve(folder, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    create: async (name) => {
      const path = join(folder, `${name}.git`);
      await mustRun('git', ['init', '--quiet', '--bare', '--initial-branch=main', path]);
      await mustRun('git', ['--git-dir', path, 'config', 'http.receivepack', 'true']);
      return `http://127.0.0.1:${portOf(server)}/${name}.git`;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The port a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function serve(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // git closes its input once it has read what it needs
  child.stdin.on('error', () => child.stdin.destroy());
  request.pipe(child.stdin);
  relayAnswer(child.stdout, response);
}

/** A CGI answer: header lines, an empty line, the body. */
function relayAnswer(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  let headed = false;
  output.on('data', (bytes: Buffer) => {
    if (headed) {
      response.write(bytes);
      return;
    }
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    headed = true;
    const headers = new Map(head.subarray(0, end).toString('latin1').split('\r\n').map(headerOf));
    const status = Number.parseInt(headers.get('status') ?? '200', 10);
    headers.delete('status');
    response.writeHead(status, Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
  });
  output.on('end', () => response.end());
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
