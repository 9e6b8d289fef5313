import { CoppiceError } from '@coppice/model';
import type { ByteReader } from './byte-reader.ts';

/** The flush packet of gitprotocol-common(5). */
export const flushPacket = '0000';

/** One packet: four hexadecimal digits of length, then the text. Throws RangeError beyond 65,516 bytes of text. */
export function packet(text: string): Buffer {
  const body = Buffer.from(text, 'utf8');
  if (body.length > 65_516) throw new RangeError(`a packet of ${body.length} bytes`);
  return Buffer.concat([Buffer.from((body.length + 4).toString(16).padStart(4, '0'), 'ascii'), body]);
}

/** The packets up to the next flush, each without its newline. Throws `git-failed` for what is no packet. */
export async function readPackets(reader: ByteReader): Promise<readonly Buffer[]> {
  const packets: Buffer[] = [];
  for (;;) {
    const header = (await reader.exactly(4)).toString('latin1');
    const length = /^[0-9a-f]{4}$/.test(header) ? Number.parseInt(header, 16) : -1;
    if (length === 0) return packets;
    if (length < 4) throw new CoppiceError('git-failed', 'not a packet line');
    const body = await reader.exactly(length - 4);
    packets.push(body.at(-1) === 0x0a ? body.subarray(0, -1) : body);
  }
}
