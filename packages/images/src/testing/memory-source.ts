import { createHash } from 'node:crypto';
import type { SourceEntry, SourceTree } from '@coppice/model';

/** A file's content, `{ link }` for a symbolic link, or `{ run }` for an executable. */
export type MemoryFile = string | { readonly link: string } | { readonly run: string };

/** A source tree out of a plain object, for tests. Ids are hashes of the content, as git's are; `reads` counts the blobs asked for. */
export class MemorySource implements SourceTree {
  readonly id: string;
  reads = 0;
  private readonly files: Readonly<Record<string, MemoryFile>>;
  private readonly blobs = new Map<string, Buffer>();
  private readonly list: readonly SourceEntry[];

  constructor(files: Readonly<Record<string, MemoryFile>>) {
    this.files = files;
    const list: SourceEntry[] = [];
    const folders = new Set<string>();
    for (const [path, file] of Object.entries(files)) {
      const above = path.split('/').slice(0, -1);
      for (let depth = 1; depth <= above.length; depth += 1) folders.add(above.slice(0, depth).join('/'));
      const content = Buffer.from(textOf(file));
      const id = createHash('sha1').update(content).digest('hex');
      this.blobs.set(id, content);
      list.push({ path, kind: kindOf(file), id, size: content.length });
    }
    for (const path of folders) list.push({ path, kind: 'folder', id: '', size: 0 });
    this.list = list;
    this.id = createHash('sha1').update(JSON.stringify(list)).digest('hex');
  }

  async *entries(): AsyncGenerator<SourceEntry> {
    yield* this.list;
  }

  async blob(id: string): Promise<Buffer> {
    this.reads += 1;
    const content = this.blobs.get(id);
    if (!content) throw new Error(`no blob ${id}`);
    return content;
  }

  async subtree(path: string): Promise<SourceTree | undefined> {
    const below = Object.entries(this.files).filter(([name]) => name.startsWith(`${path}/`));
    if (below.length === 0) return undefined;
    return new MemorySource(Object.fromEntries(below.map(([name, file]) => [name.slice(path.length + 1), file])));
  }

  async entry(path: string): Promise<SourceEntry | undefined> {
    return this.list.find((entry) => entry.path === path);
  }
}

function textOf(file: MemoryFile): string {
  if (typeof file === 'string') return file;
  return 'link' in file ? file.link : file.run;
}

function kindOf(file: MemoryFile): SourceEntry['kind'] {
  if (typeof file === 'string') return 'file';
  return 'link' in file ? 'symlink' : 'executable';
}
