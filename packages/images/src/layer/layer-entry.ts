/** One thing in a layer. Paths are relative to the image's root, with `/`, without a leading or trailing one. */
export type LayerEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'file'; readonly path: string; readonly executable: boolean; readonly content: Uint8Array }
  /** Too large for memory: `open` is called twice, for the hash and for the bytes, and must give `size` bytes each time. */
  | {
      readonly kind: 'large-file';
      readonly path: string;
      readonly executable: boolean;
      readonly size: number;
      readonly open: () => AsyncIterable<Uint8Array>;
    }
  /** Hides what a layer below has at that path. */
  | { readonly kind: 'whiteout'; readonly path: string };

/** What OCI puts before the name of something hidden. No file of a layer may be called so. */
export const whiteoutPrefix = '.wh.';

/** The folders above a path, outermost first, without the path itself: `a/b/c` gives `a` and `a/b`. */
export function foldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at));
  return folders;
}
