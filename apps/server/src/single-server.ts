import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { CoppiceError } from '@coppice/model';

/** A process that holds a data directory. */
export interface Holder {
  /** Undefined where it does not say, or not in time. */
  readonly pid: number | undefined;
}

const answerWithinMs = 5_000;
/** No file, one that no socket is, and a socket whose process ended. */
const nobody: readonly string[] = ['ENOENT', 'ENOTSOCK', 'ECONNREFUSED'];
/** It broke off, or has too many who ask. */
const somebody: readonly string[] = ['ECONNRESET', 'EPIPE', 'EAGAIN'];

/** Holds DIR for one server at a time, by a socket that dies with it. Throws `conflict` where another one serves. */
export async function holdDirectory(socketPath: string): Promise<Server> {
  const holder = await whoHolds(socketPath);
  if (holder)
    throw new CoppiceError('conflict', `another server (process ${holder.pid ?? 'unknown'}) uses this data directory`, {
      hint: 'stop it, or give --data another one',
    });
  rmSync(socketPath, { force: true });
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).end(`${process.pid}\n`));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  server.unref();
  return server;
}

/** The server that holds the socket, or undefined where none does. Throws `conflict` where that cannot be told. */
export async function whoHolds(socketPath: string, withinMs: number = answerWithinMs): Promise<Holder | undefined> {
  const socket = createConnection(socketPath);
  try {
    return await new Promise((resolve, reject) => {
      let text = '';
      socket.setTimeout(withinMs, () => resolve({ pid: undefined }));
      socket.on('data', (bytes) => (text += bytes.toString()));
      socket.on('end', () => resolve({ pid: parsePid(text) }));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (nobody.includes(error.code ?? '')) resolve(undefined);
        else if (somebody.includes(error.code ?? '')) resolve({ pid: undefined });
        else reject(new CoppiceError('conflict', `nobody can tell who uses this data directory: ${error.message}`, { cause: error }));
      });
    });
  } finally {
    socket.destroy();
  }
}

/** 0 and what is below it would mean a group of processes. */
function parsePid(text: string): number | undefined {
  return /^[1-9]\d{0,9}\n$/.test(text) ? Number(text) : undefined;
}
