import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CoppiceError } from '@coppice/model';

const ratioFreeBytes = 1024 * 1024;
const maxRatio = 200;

/** Whether we can read what the request sends. */
export function isReadableEncoding(request: IncomingMessage): boolean {
  return ['', 'identity', 'gzip', 'x-gzip'].includes(`${request.headers['content-encoding'] ?? ''}`.toLowerCase());
}

/**
 * The body as it was before compression, piece by piece. Throws `limit-exceeded` beyond `maxBytes`, or where a small body unfolds
 * into a large one; zlib's own error where it is no gzip.
 */
export async function* requestBody(request: IncomingMessage, maxBytes: number): AsyncGenerator<Buffer> {
  let packed = 0;
  let unpacked = 0;
  const zipped = /gzip$/i.test(`${request.headers['content-encoding'] ?? ''}`);
  if (zipped) request.on('data', (chunk: Buffer) => (packed += chunk.length));
  for await (const chunk of zipped ? unzipped(request) : request) {
    unpacked += chunk.length;
    if (unpacked > maxBytes) throw new CoppiceError('limit-exceeded', `the request has more than ${maxBytes} bytes`);
    if (zipped && unpacked > ratioFreeBytes && unpacked > packed * maxRatio) {
      throw new CoppiceError('limit-exceeded', 'the request unfolds into far more than it is');
    }
    yield chunk;
  }
}

function unzipped(request: IncomingMessage): Readable {
  const gunzip = createGunzip();
  request.once('error', (error) => gunzip.destroy(error));
  request.once('aborted', () => gunzip.destroy(new CoppiceError('cancelled', 'the client went away')));
  return request.pipe(gunzip);
}
