import type { Digest, SourceEntry, SourceTree } from '@coppice/model';
import type { FolderLayer } from '../layer/folder-entries.ts';
import { foldersAbove } from '../layer/layer-entry.ts';
import { linkTarget, loadSource } from '../layer/source-entries.ts';
import { unpackLayer } from '../layer/unpack-layer.ts';
import { type FolderItem, walkFolder } from '../layer/walk-folder.ts';
import { HostFolder, type Owner } from './host-folder.ts';

/** What the steps of one build find at /app: earlier output below, source above, exactly as the layers of the image will lie. */
export class Workspace {
  /** Path on the host of what is /app. */
  readonly root: string;
  private readonly folder: HostFolder;
  private readonly source: SourceTree;
  /** Layers whose content is here, bottom first. */
  private applied: Digest[] = [];
  /** Paths that those layers show. */
  private shown = new Set<string>();
  /** Source that was laid over them. */
  private laid = new Set<string>();
  private before = new Map<string, FolderItem>();

  constructor(root: string, owner: Owner, source: SourceTree) {
    this.root = root;
    this.folder = new HostFolder(root, owner);
    this.source = source;
  }

  /** Puts exactly `layers` there with `inputs` of the source on top, and remembers that state for `changes`. */
  async prepare(
    layers: readonly { readonly digest: Digest; readonly path: string }[],
    inputs: readonly SourceEntry[],
    prefix: string,
  ): Promise<void> {
    this.folder.distrust();
    const goesOn = this.applied.every((digest, index) => layers[index]?.digest === digest);
    const wanted = new Set(inputs.map((entry) => entry.path));
    const stale = [...this.laid].filter((path) => !wanted.has(path));
    // source that hid an output cannot be taken away without bringing the output back
    if (!goesOn || stale.some((path) => this.shown.has(path))) await this.empty();
    else await this.takeAway(stale);
    for (const layer of layers.slice(this.applied.length)) {
      const { put, removed } = await unpackLayer(layer.path, prefix, this.folder);
      this.note(layer.digest, put, removed);
    }
    await this.lay(inputs);
    this.before = new Map((await walkFolder(this.root)).map((item) => [item.path, item]));
  }

  /** What the step changed since `prepare`, as a layer below `prefix`. */
  async changes(prefix: string): Promise<FolderLayer> {
    const items: FolderItem[] = [];
    const after = new Map<string, FolderItem>();
    for (const item of await walkFolder(this.root)) {
      after.set(item.path, item);
      if (this.before.get(item.path)?.fingerprint !== item.fingerprint) items.push(item);
    }
    const gone = (path: string): boolean => !after.has(path) && this.before.has(path);
    const removed = [...this.before.keys()].filter((path) => {
      if (!gone(path) || !this.shown.has(path)) return false;
      const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      // hidden with the folder above, or by what took that folder's place
      return parent === '' || after.get(parent)?.kind === 'folder';
    });
    return { root: this.root, prefix, items, removed };
  }

  /** Tells that the changes became a layer, so that the next step builds on it without unpacking. */
  keep(digest: Digest, layer: FolderLayer): void {
    this.note(
      digest,
      layer.items.map((item) => item.path),
      layer.removed,
    );
  }

  private note(digest: Digest, put: readonly string[], removed: readonly string[]): void {
    this.applied.push(digest);
    if (removed.length > 0) {
      const hidden = new Set(removed);
      for (const path of this.shown) if ([...foldersAbove(path), path].some((at) => hidden.has(at))) this.shown.delete(path);
    }
    for (const path of put) {
      for (const folder of foldersAbove(path)) this.shown.add(folder);
      this.shown.add(path);
    }
  }

  private async empty(): Promise<void> {
    await this.folder.clear();
    this.applied = [];
    this.shown = new Set();
    this.laid = new Set();
  }

  private async takeAway(paths: readonly string[]): Promise<void> {
    const folders = new Set<string>();
    for (const path of paths) {
      await this.folder.remove(path);
      for (const folder of foldersAbove(path)) folders.add(folder);
    }
    for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
      if (!this.shown.has(folder)) await this.folder.removeIfEmpty(folder);
    }
  }

  private async lay(inputs: readonly SourceEntry[]): Promise<void> {
    for await (const { entry, content } of loadSource(this.source, inputs)) {
      if (entry.kind === 'folder') await this.folder.putFolder(entry.path);
      else if (entry.kind === 'symlink') await this.folder.putLink(entry.path, linkTarget(entry.path, content));
      else await this.folder.putFile(entry.path, { content, executable: entry.kind === 'executable' });
    }
    this.laid = new Set(inputs.map((entry) => entry.path));
  }
}
