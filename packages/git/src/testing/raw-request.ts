import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { packet } from '../pkt-line.ts';
import { token } from './loopback-server.ts';

/** A connection that speaks HTTP by hand, for what no honest client sends. */
export async function connect(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port });
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The head of a push of unknown length. */
export function pushHead(headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    host: 'localhost',
    authorization: `Basic ${Buffer.from(`git:${token}`).toString('base64')}`,
    'content-type': 'application/x-git-receive-pack-request',
    'transfer-encoding': 'chunked',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /git/shop.git/git-receive-pack HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** The commands of a push of one new ref, as receive-pack reads them before the pack. */
export function commands(ref: string, next: string): Buffer {
  return Buffer.concat([packet(`${'0'.repeat(40)} ${next} ${ref}\0report-status side-band-64k`), Buffer.from('0000')]);
}

/** All that comes until the connection ends or `until` is met. */
export async function answer(socket: Socket, until?: RegExp): Promise<string> {
  let text = '';
  return await new Promise((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (until?.test(text)) resolve(text);
    });
    socket.once('close', () => resolve(text));
  });
}
