import { CoppiceError, type SourceEntry, type SourceTree } from '@coppice/model';
import type { ObjectSource } from './object-process.ts';

/** All of a tree that was checked, flat. A value: it outlives the push that brought it. */
export interface TreeListing {
  readonly id: string;
  /** Depth first, names sorted by bytes, each folder before what is in it. */
  readonly entries: readonly SourceEntry[];
  /** Index into `entries` by path. */
  readonly byPath: ReadonlyMap<string, number>;
  /** Index after the last entry below a folder, by the folder's own. */
  readonly folderEnds: ReadonlyMap<number, number>;
}

/** The largest blob that is read whole: what a whole tree may have. */
export const maxBlobBytes = 1024 ** 3;

/** A listing, or the folder of it at `path`, with its blobs read from `source`. */
export function sourceTree(listing: TreeListing, source: ObjectSource, path = ''): SourceTree {
  const at = path === '' ? -1 : (listing.byPath.get(path) ?? -1);
  const end = at < 0 ? listing.entries.length : (listing.folderEnds.get(at) ?? at + 1);
  const prefix = path === '' ? '' : `${path}/`;
  const id = at < 0 ? listing.id : (listing.entries[at]?.id ?? listing.id);
  const find = (below: string): SourceEntry | undefined => {
    const index = listing.byPath.get(`${prefix}${below}`);
    const found = index === undefined ? undefined : listing.entries[index];
    return found && { ...found, path: below };
  };
  return {
    id,
    entries: () => below(listing.entries, at + 1, end, prefix.length),
    blob: async (blob) => await readBlob(source, blob),
    entry: async (wanted) => (isSelf(wanted) ? { path: '.', kind: 'folder', id, size: 0 } : find(wanted)),
    subtree: async (wanted) => {
      if (isSelf(wanted)) return sourceTree(listing, source, path);
      return find(wanted)?.kind === 'folder' ? sourceTree(listing, source, `${prefix}${wanted}`) : undefined;
    },
  };
}

function isSelf(path: string): boolean {
  return path === '' || path === '.';
}

async function* below(entries: readonly SourceEntry[], from: number, to: number, cut: number): AsyncGenerator<SourceEntry> {
  for (let at = from; at < to; at += 1) {
    const entry = entries[at];
    if (entry) yield cut === 0 ? entry : { ...entry, path: entry.path.slice(cut) };
  }
}

async function readBlob(source: ObjectSource, id: string): Promise<Buffer> {
  const object = await source.contents(id, maxBlobBytes);
  if (object?.type !== 'blob') throw new CoppiceError('not-found', `there is no blob ${id}`);
  return object.content;
}
