import { createHash } from 'node:crypto';
import type { ObjectReader, Repositories, Repository } from '@coppice/git';
import { CoppiceError, type GitId, type SourceEntry, type SourceTree } from '@coppice/model';

const none = '0'.repeat(40);

/** The folders of a commit, each told by its content. */
type Folders = Readonly<Record<string, string>>;

/** One repository in memory, for tests: commits of one file `coppice.yaml` each, with folders of which only the content is told; refs and notes. */
export class MemoryRepository {
  readonly refs = new Map<string, GitId>();
  /** Every move of a ref, oldest first. */
  readonly moves: { readonly ref: string; readonly next: string }[] = [];
  readonly notes: { readonly commit: GitId; readonly line: string }[] = [];
  readonly #commits = new Map<GitId, { readonly tree: GitId; readonly parents: readonly GitId[]; readonly subject: string }>();
  readonly #trees = new Map<GitId, { readonly file: string; readonly folders: Folders }>();

  /** A commit whose tree is the file and the folders; what is equal has equal trees. */
  commit(file: string, parents: readonly GitId[] = [], folders: Folders = {}): GitId {
    const tree = idOf(`tree ${file} ${Object.entries(folders).join(' ')}`);
    this.#trees.set(tree, { file, folders });
    return this.#add(tree, parents, `commit ${this.#commits.size + 1}`);
  }

  readonly objects: ObjectReader = {
    commit: async (id) => {
      const found = this.#commits.get(id);
      if (!found) throw new CoppiceError('not-found', `no commit ${id}`);
      return { id, ...found, author: 'test' };
    },
    tree: async (id) => fileTree(id, this.#trees.get(id) ?? { file: '', folders: {} }),
  };

  readonly port: Repository = {
    objects: this.objects,
    updateRefs: async (updates) => {
      for (const { ref, previous } of updates) {
        if ((this.refs.get(ref) ?? none) !== previous) throw new CoppiceError('conflict', `${ref} moved`);
      }
      for (const { ref, next } of updates) {
        this.moves.push({ ref, next });
        if (next === none) this.refs.delete(ref);
        else this.refs.set(ref, next as GitId);
      }
    },
    refs: async (prefix) => new Map([...this.refs].filter(([ref]) => ref.startsWith(prefix))),
    resolve: async (revision) => [...this.#commits.keys()].find((id) => id.startsWith(revision)),
    mergeBase: async () => undefined,
    commitTree: async ({ tree, parent, message }) => this.#add(tree, [parent], message),
    appendNote: async (commit, line) => void this.notes.push({ commit, line }),
  };

  readonly repositories: Repositories = {
    create: async () => undefined,
    open: () => this.port,
    delete: async () => undefined,
    sweep: async () => undefined,
    close: async () => undefined,
  };

  #add(tree: GitId, parents: readonly GitId[], subject: string): GitId {
    const id = idOf(`commit ${this.#commits.size} ${tree}`);
    this.#commits.set(id, { tree, parents, subject });
    return id;
  }
}

function fileTree(id: GitId, { file, folders }: { readonly file: string; readonly folders: Folders }): SourceTree {
  const entry: SourceEntry = { path: 'coppice.yaml', kind: 'file', id: idOf(file), size: file.length };
  return {
    id,
    async *entries() {
      yield entry;
    },
    blob: async () => Buffer.from(file),
    subtree: async (path) => {
      const content = folders[path];
      return content === undefined ? undefined : fileTree(idOf(`folder ${content}`), { file: content, folders: {} });
    },
    entry: async (path) => {
      const content = folders[path];
      if (content !== undefined) return { path, kind: 'folder', id: idOf(`folder ${content}`), size: 0 };
      return path === entry.path ? entry : undefined;
    },
  };
}

function idOf(text: string): GitId {
  return createHash('sha1').update(text).digest('hex') as GitId;
}
