import { createHash } from 'node:crypto';

/** 1980-01-01 in seconds: the time of folders and links in every layer, and the earliest of files. Zip cannot hold less. */
export const earliestTimeSeconds = 315_532_800;

/**
 * Modification time of a file in a layer, in seconds: 1980 plus the first 30 bits of the SHA-256 of its content. The same for the same
 * bytes everywhere, yet another for other bytes, so that an ETag made of time and size changes with the content. Ends in 2014.
 */
export function contentTimeSeconds(sha256: Uint8Array): number {
  return earliestTimeSeconds + (Buffer.from(sha256.buffer, sha256.byteOffset, 4).readUInt32BE(0) >>> 2);
}

/** The same for content that is at hand. */
export function contentTimeOf(content: Uint8Array): number {
  return contentTimeSeconds(createHash('sha256').update(content).digest());
}
