import { CoppiceError, type GitId, type SourceTree } from '@coppice/model';
import { parseCommitObject } from './commit-object.ts';
import type { ListingCache } from './listing-cache.ts';
import type { ObjectSource } from './object-process.ts';
import type { CommitInfo, ObjectReader } from './receiver.ts';
import { sourceTree } from './tree-listing.ts';
import { walkTree } from './tree-walk.ts';

const maxCommitBytes = 1024 * 1024;

/** Reads commits and trees of one repository from `source`. A tree is walked and checked once; `cache` keeps its listing. */
export function createObjectReader(options: {
  readonly project: string;
  readonly source: ObjectSource;
  readonly cache: ListingCache;
}): ObjectReader {
  const { project, source, cache } = options;
  return {
    commit: async (id) => await readCommit(source, id),
    tree: async (id) => {
      const cached = cache.get(`${project}:${id}`);
      if (cached) return sourceTree(cached, source);
      const tree = await treeOf(source, id);
      return await checkedTree({ project, source, cache, tree });
    },
  };
}

async function checkedTree(options: {
  readonly project: string;
  readonly source: ObjectSource;
  readonly cache: ListingCache;
  readonly tree: string;
}): Promise<SourceTree> {
  const key = `${options.project}:${options.tree}`;
  const cached = options.cache.get(key);
  if (cached) return sourceTree(cached, options.source);
  const listing = await walkTree(options.tree, options.source);
  options.cache.put(key, listing);
  return sourceTree(listing, options.source);
}

async function readCommit(source: ObjectSource, id: GitId): Promise<CommitInfo> {
  const object = await source.contents(id, maxCommitBytes);
  if (object?.type !== 'commit') throw new CoppiceError('not-found', `there is no commit ${id}`);
  return parseCommitObject(id, object.content);
}

/** `id` itself where it is a tree, the tree of the commit it names otherwise. */
async function treeOf(source: ObjectSource, id: GitId): Promise<string> {
  const info = await source.info(id);
  return info?.type === 'tree' ? id : (await readCommit(source, id)).tree;
}
