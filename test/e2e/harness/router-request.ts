import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';

export interface RouterAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RouterRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Without an answer by then it fails; 15,000 where missing. */
  readonly timeoutMs?: number;
}

/** Asks the router at `address` (host:port) for a path of a host, on a connection of its own. Rejects where the connection breaks. */
export async function routerRequest(address: string, host: string, path: string, asked: RouterRequest = {}): Promise<RouterAnswer> {
  const [hostname, port] = address.split(':');
  const options: RequestOptions = {
    hostname,
    port,
    path,
    method: asked.method ?? 'GET',
    headers: { host, ...asked.headers },
    agent: false,
    signal: AbortSignal.timeout(asked.timeoutMs ?? 15_000),
  };
  return await new Promise((resolve, reject) => {
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.on('error', reject);
    request.end(asked.body);
  });
}
