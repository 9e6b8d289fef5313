import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { CoppiceError } from '@coppice/model';

/** Holds DIR for one server at a time, by a socket that dies with it. Throws `conflict` where another one serves. */
export async function holdDirectory(socketPath: string): Promise<Server> {
  const holder = await whoHolds(socketPath);
  if (holder !== undefined)
    throw new CoppiceError('conflict', `another server (process ${holder}) uses this data directory`, {
      hint: 'stop it, or give --data another one',
    });
  rmSync(socketPath, { force: true });
  const server = createServer((socket) => socket.end(`${process.pid}\n`));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  server.unref();
  return server;
}

/** Process id of the server that holds the socket, or undefined where none does. */
export async function whoHolds(socketPath: string): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const socket = createConnection(socketPath);
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString()));
    socket.on('end', () => resolve(Number.parseInt(text, 10)));
    socket.on('error', () => resolve(undefined));
  });
}
