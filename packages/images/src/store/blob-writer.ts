import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Digest } from '@coppice/model';
import type { Blob } from './image-manifest.ts';

const chunkBytes = 1024 * 1024;

/** Streams `content` into a new file at `path`, hashing on the way, and syncs it. The file is removed where that fails. Constant memory. */
export async function writeBlob(path: string, content: AsyncIterable<Uint8Array>): Promise<Blob> {
  const file = await open(path, 'wx', 0o644);
  try {
    const blob = await pour(file, content);
    await file.datasync();
    await file.close();
    return blob;
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

/** Hash and length of a file's content. */
export async function hashFile(path: string): Promise<Blob> {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'r');
  for await (const chunk of file.createReadStream({ highWaterMark: chunkBytes })) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a file is read as bytes');
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size };
}

/** Small pieces (tar headers are 512 bytes) are gathered, since each write is a trip through the thread pool. */
async function pour(file: FileHandle, content: AsyncIterable<Uint8Array>): Promise<Blob> {
  const hash = createHash('sha256');
  let size = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = async (): Promise<void> => {
    // unlike write and writev, writeFile goes on after a partial write; on a handle it appends
    if (waiting.length > 0) await file.writeFile(Buffer.concat(waiting));
    waiting = [];
    waitingBytes = 0;
  };
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes >= chunkBytes) await flush();
  }
  await flush();
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size };
}
