import { createHash } from 'node:crypto';
import type { SourceEntry, SourceTree } from '@coppice/model';

/** Files at the top of a source folder that describe it and take no part in running it. */
const descriptions = /^(?:readme|licen[cs]e|changelog|contributing|authors|security|code_of_conduct)(?:\.(?:md|txt|rst|adoc))?$/i;
const gitFiles = new Set(['.gitignore', '.gitattributes', '.gitkeep', '.mailmap', '.editorconfig', '.github', '.gitlab']);
const ownFiles = new Set(['coppice.yaml', '.coppice']);

const modes: Readonly<Record<SourceEntry['kind'], string>> = { file: '100644', executable: '100755', symlink: '120000', folder: '40000' };

/**
 * A source folder as it enters an image: without our own file, git's, and the texts about the project that lie at its top. So a change of
 * a README or of a size rebuilds nothing. Its id is the tree id that git gives the folder without them; equal to the folder's own where
 * there are none.
 */
export async function runningSource(source: SourceTree): Promise<SourceTree> {
  const top: SourceEntry[] = [];
  for await (const entry of source.entries()) if (!entry.path.includes('/')) top.push(entry);
  const kept = top.filter((entry) => !isInert(entry.path));
  return kept.length === top.length ? source : new FilteredTree(source, treeId(kept));
}

function isInert(name: string): boolean {
  return descriptions.test(name) || gitFiles.has(name) || ownFiles.has(name);
}

function isInertPath(path: string): boolean {
  const slash = path.indexOf('/');
  return isInert(slash < 0 ? path : path.slice(0, slash));
}

/** As git hashes a tree: mode, name and binary id of each entry, folders sorted as if their name ended with `/`. */
function treeId(entries: readonly SourceEntry[]): string {
  const sorted = entries
    .map((entry) => ({ entry, key: Buffer.from(entry.kind === 'folder' ? `${entry.path}/` : entry.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const body = Buffer.concat(
    sorted.flatMap(({ entry }) => [Buffer.from(`${modes[entry.kind]} ${entry.path}\0`), Buffer.from(entry.id, 'hex')]),
  );
  return createHash('sha1').update(`tree ${body.length}\0`).update(body).digest('hex');
}

class FilteredTree implements SourceTree {
  readonly id: string;
  readonly #whole: SourceTree;

  constructor(whole: SourceTree, id: string) {
    this.#whole = whole;
    this.id = id;
  }

  async *entries(): AsyncIterable<SourceEntry> {
    for await (const entry of this.#whole.entries()) if (!isInertPath(entry.path)) yield entry;
  }

  async blob(id: string): Promise<Buffer> {
    return await this.#whole.blob(id);
  }

  async subtree(path: string): Promise<SourceTree | undefined> {
    return isInertPath(path) ? undefined : await this.#whole.subtree(path);
  }

  async entry(path: string): Promise<SourceEntry | undefined> {
    return isInertPath(path) ? undefined : await this.#whole.entry(path);
  }
}
