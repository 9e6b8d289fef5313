import { connect } from 'node:net';
import { CoppiceError } from '@coppice/model';

/** Nobody there, or ended while we asked. */
const goneCodes: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** Asks a socket of HAProxy one command; undefined where nobody listens or it ended meanwhile. Other failures are CoppiceError `router-failed`. */
export async function askSocket(path: string, command: string, timeoutMs = 5_000): Promise<string | undefined> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ path });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    // Ended at once: the master only answers when nothing more can come.
    socket.on('connect', () => socket.end(`${command}\n`));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('utf8').trim()));
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      if (goneCodes.has(cause.code ?? '')) resolve(undefined);
      else
        reject(
          new CoppiceError('router-failed', `HAProxy did not answer "${command.split(/[\s<]/, 2).join(' ')}": ${cause.message}`, { cause }),
        );
    });
  });
}
