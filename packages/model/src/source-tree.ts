/** A folder of a commit as the image builder needs it: read from the object store, never from a checkout. */
export interface SourceTree {
  /** Tree id: the content key. */
  readonly id: string;
  /** All files below, depth first, names sorted by bytes; paths relative with `/`. */
  entries(): AsyncIterable<SourceEntry>;
  /** The whole content of a blob by id. */
  blob(id: string): Promise<Buffer>;
  /** The folder below, or undefined where it is missing or no folder. */
  subtree(path: string): Promise<SourceTree | undefined>;
  /** The entry at a path, or undefined. */
  entry(path: string): Promise<SourceEntry | undefined>;
}

export interface SourceEntry {
  readonly path: string;
  readonly kind: 'file' | 'executable' | 'symlink' | 'folder';
  /** Blob (or tree) id. */
  readonly id: string;
  /** Bytes; 0 for folders. */
  readonly size: number;
}
