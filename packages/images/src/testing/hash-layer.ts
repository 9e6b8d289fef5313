import { createHash } from 'node:crypto';

/** Digest and length of a stream, for tests. `onChunk` is called at each piece. */
export async function hashLayer(
  content: AsyncIterable<Uint8Array>,
  onChunk: () => void = () => undefined,
): Promise<{ readonly digest: string; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
    onChunk();
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
