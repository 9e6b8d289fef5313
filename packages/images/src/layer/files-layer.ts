import { CoppiceError } from '@coppice/model';
import { compareBytes } from './byte-order.ts';
import { foldersAbove, type LayerEntry } from './layer-entry.ts';

/** Files given as text, by absolute path in the image. */
export type ImageFiles = Readonly<Record<string, { readonly content: string; readonly executable: boolean }>>;

/** The layer of such files, with the folders above them. Throws `internal` for a path that is not absolute and plain. */
export function filesLayer(files: ImageFiles): readonly LayerEntry[] {
  const entries = new Map<string, LayerEntry>();
  for (const [absolute, file] of Object.entries(files)) {
    const path = plainPath(absolute);
    for (const folder of foldersAbove(path)) entries.set(folder, { kind: 'folder', path: folder });
    entries.set(path, { kind: 'file', path, executable: file.executable, content: Buffer.from(file.content) });
  }
  return [...entries.values()].sort((a, b) => compareBytes(a.path, b.path));
}

function plainPath(absolute: string): string {
  const segments = absolute.split('/').slice(1);
  if (!absolute.startsWith('/') || segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new CoppiceError('internal', `not a plain absolute path: ${absolute}`);
  }
  return segments.join('/');
}
