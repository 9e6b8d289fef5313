import { randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** A new id: the prefix, `_`, and 16 random characters of lower-case base32 (RFC 4648): 80 bits. */
export function opaqueId(prefix: 'p' | 'e' | 'd' | 'a' | 'i' | 'b' | 't'): string {
  let text = '';
  for (const byte of randomBytes(16)) text += alphabet.charAt(byte & 31);
  return `${prefix}_${text}`;
}
