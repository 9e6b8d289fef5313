import { chmodSync, chownSync, renameSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { EnvironmentId } from '@coppice/model';
import type { ProcessUser } from './haproxy-process.ts';
import { WakeHints } from './wake-hints.ts';

const socketName = 'wake.sock';
/** An environment's id and a newline fit. */
const maxBytes = 200;
let made = 0;

/** Whether a file of the folder of sockets is one that we listen on, not HAProxy. */
export function isWakeSocket(name: string): boolean {
  return name.startsWith(socketName);
}

/**
 * Listens where HAProxy tells which environments are waited for (`tell_wake` in hold.lua): one connection, one id. Takes the place of
 * whoever listened before. Only the given user and ourselves may connect.
 */
export async function* listenForWakes(
  { directory, user }: { readonly directory: string; readonly user: ProcessUser | undefined },
  signal: AbortSignal,
): AsyncGenerator<EnvironmentId, void, undefined> {
  const hints = new WakeHints();
  const server = createServer((socket) => readHint(socket, hints));
  try {
    await listenInPlace(server, { folder: join(directory, 'run'), user });
    yield* hints.read(signal);
  } finally {
    server.close();
  }
}

/** Under a name of its own first: it is there whole and with its mode, or the old one is, and closing ours never removes the next one's. */
async function listenInPlace(
  server: Server,
  { folder, user }: { readonly folder: string; readonly user: ProcessUser | undefined },
): Promise<void> {
  made += 1;
  const path = join(folder, `${socketName}.${process.pid}.${made}`);
  await new Promise<void>((resolve, reject) => {
    // Stays: what fails later is one hint, which is told again.
    server.on('error', reject);
    server.listen(path, resolve);
  });
  if (user) chownSync(path, user.uid, user.gid);
  chmodSync(path, 0o600);
  renameSync(path, join(folder, socketName));
}

function readHint(socket: Socket, hints: WakeHints): void {
  let text = '';
  socket.setTimeout(1_000, () => socket.destroy());
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.length > maxBytes) socket.destroy();
  });
  socket.on('end', () => {
    // Without its newline it was cut, and is told again a second later.
    const environment = /^([A-Za-z0-9][A-Za-z0-9_-]{0,79})\n$/.exec(text)?.[1];
    if (environment !== undefined) hints.add(environment as EnvironmentId);
  });
  socket.on('error', () => socket.destroy());
}
