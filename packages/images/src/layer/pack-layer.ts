import { createHash } from 'node:crypto';
import { CoppiceError } from '@coppice/model';
import { type Pack, pack } from 'tar-stream';
import { contentTimeOf, contentTimeSeconds, earliestTimeSeconds } from './content-time.ts';
import { type LayerEntry, whiteoutPrefix } from './layer-entry.ts';

/**
 * The bytes of a layer: an uncompressed tar of the entries in the order given, which must be that of their paths' bytes. Owner 0:0,
 * modes 0644, 0755 and 0777 for links, times made of the content: nothing but the entries decides about the bytes. Constant memory.
 * Throws `build-failed` for a name that a layer cannot hold.
 */
export async function* packLayer(entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>): AsyncGenerator<Uint8Array> {
  const tar = pack();
  feed(tar, entries).catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  for await (const chunk of tar) if (chunk instanceof Uint8Array) yield chunk;
}

async function feed(tar: Pack, entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>): Promise<void> {
  for await (const entry of entries) {
    refuseWhiteoutName(entry);
    if (entry.kind === 'large-file') await addLarge(tar, entry);
    else await addSmall(tar, entry);
  }
  tar.finalize();
}

function addSmall(tar: Pack, entry: Exclude<LayerEntry, { kind: 'large-file' }>): Promise<void> {
  switch (entry.kind) {
    case 'folder':
      return add(tar, { name: `${entry.path}/`, type: 'directory', mode: 0o755, ...fixed(earliestTimeSeconds) });
    case 'symlink':
      return add(tar, { name: entry.path, type: 'symlink', linkname: entry.target, mode: 0o777, ...fixed(earliestTimeSeconds) });
    case 'whiteout':
      return add(tar, { name: whiteoutName(entry.path), type: 'file', mode: 0o644, ...fixed(earliestTimeSeconds) }, new Uint8Array(0));
    case 'file':
      return add(
        tar,
        { name: entry.path, type: 'file', mode: entry.executable ? 0o755 : 0o644, ...fixed(contentTimeOf(entry.content)) },
        entry.content,
      );
  }
}

async function addLarge(tar: Pack, entry: Extract<LayerEntry, { kind: 'large-file' }>): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of entry.open()) hash.update(chunk);
  const done = Promise.withResolvers<void>();
  const time = contentTimeSeconds(hash.digest());
  const sink = tar.entry(
    { name: entry.path, type: 'file', size: entry.size, mode: entry.executable ? 0o755 : 0o644, ...fixed(time) },
    (error) => (error ? done.reject(error) : done.resolve()),
  );
  // a reader that goes away ends the entry, which must not leave us waiting for it to drain
  const failed = done.promise.then(() => undefined);
  for await (const chunk of entry.open()) {
    if (!sink.write(chunk)) await Promise.race([failed, new Promise((resolve) => sink.once('drain', () => resolve(undefined)))]);
  }
  sink.end(undefined);
  await done.promise;
}

type Header = Parameters<Pack['entry']>[0];

function add(tar: Pack, header: Header, content?: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = (error?: Error | null): void => (error ? reject(error) : resolve());
  if (content) tar.entry({ ...header, size: content.length }, Buffer.from(content.buffer, content.byteOffset, content.length), done);
  else tar.entry(header, done);
  return promise;
}

function fixed(timeSeconds: number): Pick<Header, 'uid' | 'gid' | 'mtime'> {
  return { uid: 0, gid: 0, mtime: new Date(timeSeconds * 1000) };
}

function whiteoutName(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}${whiteoutPrefix}${path.slice(slash)}`;
}

function refuseWhiteoutName(entry: LayerEntry): void {
  if (entry.path.startsWith(whiteoutPrefix) || entry.path.includes(`/${whiteoutPrefix}`)) {
    throw new CoppiceError('build-failed', `${entry.path}: names that start with ${whiteoutPrefix} cannot be in an image`, {
      hint: 'rename the file',
    });
  }
}
