import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { compareBytes } from './byte-order.ts';
import { foldersAbove, type LayerEntry } from './layer-entry.ts';
import { type FolderItem, linkTargetOf } from './walk-folder.ts';

const largeFileBytes = 8 * 1024 * 1024;

/** What a layer takes from a folder of the host. */
export interface FolderLayer {
  /** The folder on the host. */
  readonly root: string;
  /** Where it lies in the image, e.g. `app`. */
  readonly prefix: string;
  /** Paths relative to `root`, in any order. */
  readonly items: readonly FolderItem[];
  /** Paths relative to `root` that lower layers have and this one hides. */
  readonly removed: readonly string[];
}

/** The entries of such a layer: the items, all folders above them, and what is hidden. Nobody may write in the folder meanwhile. */
export async function* folderLayer(layer: FolderLayer): AsyncGenerator<LayerEntry> {
  const wanted = new Map<string, FolderItem | 'folder' | 'whiteout'>();
  const put = (path: string, what: FolderItem | 'whiteout'): void => {
    const whole = `${layer.prefix}/${path}`;
    for (const folder of foldersAbove(whole)) if (!wanted.has(folder)) wanted.set(folder, 'folder');
    wanted.set(whole, what);
  };
  for (const item of layer.items) put(item.path, item);
  for (const path of layer.removed) put(path, 'whiteout');
  for (const path of [...wanted.keys()].sort(compareBytes)) {
    const what = wanted.get(path);
    if (what === 'whiteout') yield { kind: 'whiteout', path };
    else if (what === 'folder' || what?.kind === 'folder') yield { kind: 'folder', path };
    else if (what) yield await itemEntry(layer.root, path, what);
  }
}

async function itemEntry(root: string, path: string, item: FolderItem): Promise<LayerEntry> {
  if (item.kind === 'symlink') return { kind: 'symlink', path, target: await linkTargetOf(root, item.path) };
  const file = join(root, item.path);
  // the last component may not be a link either: what a build made is hostile until it is packed
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  if (item.size <= largeFileBytes) {
    const handle = await open(file, flags);
    try {
      return { kind: 'file', path, executable: item.executable, content: await handle.readFile() };
    } finally {
      await handle.close();
    }
  }
  return {
    kind: 'large-file',
    path,
    executable: item.executable,
    size: item.size,
    open: () => createReadStream(file, { flags: 'r', highWaterMark: 1024 * 1024 }),
  };
}
