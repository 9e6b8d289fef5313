/** Characters of base64 that hold bits of the secret alone; on a mixed side, the next one holds bits of its neighbour too. */
export interface Base64Core {
  readonly text: string;
  readonly mixedBefore: boolean;
  readonly mixedAfter: boolean;
}

/** How base64, not base64url, writes `secret` within more: after 0, 1 or 2 other bytes of a group of three. */
export function base64Cores(secret: Uint8Array): readonly Base64Core[] {
  return [0, 1, 2].map((before) => {
    const bits = 8 * (before + secret.length);
    const encoded = Buffer.concat([Buffer.alloc(before), secret]).toString('base64');
    const text = encoded.slice(Math.ceil((8 * before) / 6), Math.floor(bits / 6));
    return { text, mixedBefore: before > 0, mixedAfter: bits % 6 > 0 };
  });
}
