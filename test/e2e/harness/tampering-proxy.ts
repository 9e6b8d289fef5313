import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A proxy in front of a server that changes what clients send: for a real client whose bytes break on the way. */
export interface TamperingProxy {
  /** host:port. */
  readonly address: string;
  close(): Promise<void>;
}

/** Starts a proxy to `target` (host:port). `tamper` gets each body that is not empty. */
export async function startTamperingProxy(target: string, tamper: (body: Buffer) => Buffer): Promise<TamperingProxy> {
  const [host, port] = target.split(':');
  const server = createServer(async (incoming, outgoing) => {
    const received = await buffer(incoming);
    const body = received.length === 0 ? received : tamper(received);
    const { 'transfer-encoding': _, ...headers } = incoming.headers;
    const onward = request({
      host,
      port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, 'content-length': body.length },
    });
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${own}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
