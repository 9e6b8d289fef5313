import { CoppiceError, type SourceEntry, type SourceTree } from '@coppice/model';
import { compareBytes } from './byte-order.ts';
import { foldersAbove, type LayerEntry } from './layer-entry.ts';

const windowFiles = 64;
const windowBytes = 16 * 1024 * 1024;

/** A file of the source with its content at hand. */
export interface LoadedEntry {
  readonly entry: SourceEntry;
  /** Empty for folders. */
  readonly content: Buffer;
}

/** The entries of a tree as a list, sorted by the bytes of their paths. */
export async function listSource(tree: SourceTree): Promise<readonly SourceEntry[]> {
  const entries: SourceEntry[] = [];
  for await (const entry of tree.entries()) entries.push(entry);
  return entries.sort((a, b) => compareBytes(a.path, b.path));
}

/** The contents of `entries` in their order, asked for ahead so that one pass over the object store answers all; bounded memory. */
export async function* loadSource(tree: SourceTree, entries: readonly SourceEntry[]): AsyncGenerator<LoadedEntry> {
  const ahead: { readonly entry: SourceEntry; readonly content: Promise<Buffer> }[] = [];
  let bytes = 0;
  let next = 0;
  for (let at = 0; at < entries.length; at += 1) {
    for (
      let entry = entries[next];
      entry && ahead.length < windowFiles && (bytes < windowBytes || ahead.length === 0);
      entry = entries[next]
    ) {
      const content = entry.kind === 'folder' ? Promise.resolve(Buffer.alloc(0)) : tree.blob(entry.id);
      // a failure is met when its turn comes
      content.catch(() => undefined);
      ahead.push({ entry, content });
      bytes += entry.size;
      next += 1;
    }
    const first = ahead.shift();
    if (!first) return;
    yield { entry: first.entry, content: await first.content };
    bytes -= first.entry.size;
  }
}

/** The layer of a source tree below the folder `prefix` of the image, e.g. `app`. */
export async function* sourceLayer(tree: SourceTree, prefix: string): AsyncGenerator<LayerEntry> {
  for (const folder of [...foldersAbove(prefix), prefix]) yield { kind: 'folder', path: folder };
  for await (const { entry, content } of loadSource(tree, await listSource(tree))) yield layerEntry(entry, content, prefix);
}

function layerEntry(entry: SourceEntry, content: Buffer, prefix: string): LayerEntry {
  const path = `${prefix}/${entry.path}`;
  switch (entry.kind) {
    case 'folder':
      return { kind: 'folder', path };
    case 'symlink':
      return { kind: 'symlink', path, target: linkTarget(entry.path, content) };
    case 'file':
    case 'executable':
      return { kind: 'file', path, executable: entry.kind === 'executable', content };
  }
}

/** Where a link of the source leads, as its blob says. Throws `invalid-tree` for a target that no system takes. */
export function linkTarget(path: string, content: Buffer): string {
  const target = content.toString('utf8');
  if (target === '' || target.includes('\0') || content.length > 4095) {
    throw new CoppiceError('invalid-tree', `${path}: a symbolic link needs a target of 1 to 4095 bytes without NUL`);
  }
  return target;
}
