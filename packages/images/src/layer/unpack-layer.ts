import { createReadStream } from 'node:fs';
import { extract, type Header } from 'tar-stream';
import type { HostFolder } from '../build/host-folder.ts';
import { whiteoutPrefix } from './layer-entry.ts';

const smallFileBytes = 1024 * 1024;
const parallelFiles = 32;

/**
 * Lays what a layer of ours holds below `prefix` (e.g. `app`) into a folder of the host, whiteouts applied. Resolves with the paths it put
 * and those it removed, relative to the folder.
 */
export async function unpackLayer(
  file: string,
  prefix: string,
  folder: HostFolder,
): Promise<{ readonly put: readonly string[]; readonly removed: readonly string[] }> {
  const tar = extract();
  const source = createReadStream(file, { highWaterMark: 1024 * 1024 });
  source.on('error', (error) => tar.destroy(error));
  // tar-stream's streams are not Node's, so they are fed by hand
  source.on('data', (chunk) => {
    if (tar.write(chunk)) return;
    source.pause();
    tar.once('drain', () => source.resume());
  });
  source.on('end', () => tar.end(undefined));
  const put: string[] = [];
  const removed: string[] = [];
  const writing = new Set<Promise<void>>();
  try {
    for await (const entry of tar) {
      const path = pathBelow(entry.header.name, prefix);
      const hidden = path === undefined ? undefined : hiddenBy(path);
      if (path === undefined) entry.resume();
      else if (hidden !== undefined) {
        entry.resume();
        await Promise.all(writing);
        await folder.remove(hidden);
        removed.push(hidden);
      } else {
        put.push(path);
        await lay(folder, path, entry.header, bytesOf(entry), writing);
      }
    }
    await Promise.all(writing);
  } finally {
    source.destroy();
    await Promise.allSettled(writing);
  }
  return { put, removed };
}

async function lay(
  folder: HostFolder,
  path: string,
  header: Header,
  content: AsyncIterable<Uint8Array>,
  writing: Set<Promise<void>>,
): Promise<void> {
  const executable = (header.mode & 0o111) !== 0;
  if (header.type === 'file' && header.size <= smallFileBytes) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    // the folders above come first in a tar, one after the other; only files are written side by side
    const work = folder.putFile(path, { content: Buffer.concat(chunks), executable });
    writing.add(work);
    const forget = (): void => void writing.delete(work);
    work.then(forget, () => undefined);
    if (writing.size >= parallelFiles) await Promise.race(writing);
    return;
  }
  if (header.type === 'file') await folder.putStream(path, executable, content);
  else {
    for await (const chunk of content) if (chunk.length > 0) throw new TypeError('only files have content');
    if (header.type === 'symlink') await folder.putLink(path, header.linkname);
    else await folder.putFolder(path);
  }
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk;
}

function pathBelow(name: string, prefix: string): string | undefined {
  const path = name.endsWith('/') ? name.slice(0, -1) : name;
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : undefined;
}

function hiddenBy(path: string): string | undefined {
  const slash = path.lastIndexOf('/') + 1;
  return path.startsWith(whiteoutPrefix, slash) ? path.slice(0, slash) + path.slice(slash + whiteoutPrefix.length) : undefined;
}
