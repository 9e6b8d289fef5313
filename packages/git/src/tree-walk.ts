import { CoppiceError, type SourceEntry } from '@coppice/model';
import { checkLinkTargets } from './link-targets.ts';
import type { ObjectSource } from './object-process.ts';
import type { TreeListing } from './tree-listing.ts';
import { parseTreeObject, type RawTreeEntry, shown } from './tree-object.ts';

/** What one commit's tree may hold. */
export interface TreeCaps {
  readonly entries: number;
  readonly depth: number;
  readonly totalBytes: number;
  readonly pathBytes: number;
}

export const defaultTreeCaps: TreeCaps = { entries: 100_000, depth: 64, totalBytes: 1024 ** 3, pathBytes: 4096 };
const maxTreeObjectBytes = 32 * 1024 * 1024;
const maxLinkBytes = 4095;

interface Folder {
  readonly path: string;
  readonly id: string;
  readonly children: Node[];
}
interface Node {
  readonly path: string;
  readonly raw: RawTreeEntry;
  readonly folder: Folder | undefined;
}

/**
 * Reads a whole tree and checks it: caps, names, kinds, link targets. What is counted is every path, not every object, so a bomb of
 * a dozen objects meets the cap as soon as it has unfolded that far. Throws `invalid-tree`.
 */
export async function walkTree(id: string, source: ObjectSource, caps: TreeCaps = defaultTreeCaps): Promise<TreeListing> {
  const root: Folder = { path: '', id, children: [] };
  const nodes = await unfold(root, source, caps);
  const [sizes] = await Promise.all([readSizes(nodes, source, caps), readLinks(nodes, source).then(checkLinkTargets)]);
  return flatten(root, sizes, nodes.length);
}

/** Level by level, so that each level is one round of questions. */
async function unfold(root: Folder, source: ObjectSource, caps: TreeCaps): Promise<readonly Node[]> {
  const trees = new Map<string, readonly RawTreeEntry[]>();
  const nodes: Node[] = [];
  let level: Folder[] = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > caps.depth) throw new CoppiceError('invalid-tree', `the tree is deeper than ${caps.depth} folders`);
    await readTrees(level, trees, source);
    const next: Folder[] = [];
    for (const folder of level) {
      for (const raw of trees.get(folder.id) ?? []) {
        const node = nodeOf(folder, raw, caps);
        folder.children.push(node);
        if (node.folder) next.push(node.folder);
        if (nodes.push(node) > caps.entries) throw new CoppiceError('invalid-tree', `the tree has more than ${caps.entries} entries`);
      }
    }
    level = next;
  }
  return nodes;
}

function nodeOf(folder: Folder, raw: RawTreeEntry, caps: TreeCaps): Node {
  const path = folder.path === '' ? raw.name : `${folder.path}/${raw.name}`;
  if (path.length > caps.pathBytes || Buffer.byteLength(path, 'utf8') > caps.pathBytes) {
    throw new CoppiceError('invalid-tree', `${shown(path.slice(0, 80), '')}… is longer than ${caps.pathBytes} bytes`);
  }
  return { path, raw, folder: raw.kind === 'folder' ? { path, id: raw.id, children: [] } : undefined };
}

async function readTrees(level: readonly Folder[], trees: Map<string, readonly RawTreeEntry[]>, source: ObjectSource): Promise<void> {
  const wanted = new Map<string, string>();
  for (const folder of level) if (!trees.has(folder.id) && !wanted.has(folder.id)) wanted.set(folder.id, folder.path);
  await Promise.all(
    [...wanted].map(async ([id, path]) => {
      const object = await source.contents(id, maxTreeObjectBytes);
      if (object?.type !== 'tree') throw new CoppiceError('not-found', `there is no tree ${id}`);
      trees.set(id, parseTreeObject(object.content, path));
    }),
  );
}

async function readSizes(nodes: readonly Node[], source: ObjectSource, caps: TreeCaps): Promise<ReadonlyMap<string, number>> {
  const blobs = new Set<string>();
  for (const { raw } of nodes) if (raw.kind !== 'folder') blobs.add(raw.id);
  const sizes = new Map<string, number>();
  await Promise.all(
    [...blobs].map(async (id) => {
      const info = await source.info(id);
      if (info?.type !== 'blob') throw new CoppiceError('invalid-tree', `the tree names ${id}, which is no file`);
      sizes.set(id, info.size);
    }),
  );
  let total = 0;
  for (const { raw } of nodes) {
    total += sizes.get(raw.id) ?? 0;
    if (total > caps.totalBytes) throw new CoppiceError('invalid-tree', `the files of the tree have more than ${caps.totalBytes} bytes`);
  }
  return sizes;
}

async function readLinks(nodes: readonly Node[], source: ObjectSource): Promise<ReadonlyMap<string, string>> {
  const links = await Promise.all(
    nodes
      .filter((node) => node.raw.kind === 'symlink')
      .map(async (node): Promise<[string, string]> => {
        const info = await source.info(node.raw.id);
        if ((info?.size ?? 0) > maxLinkBytes) {
          throw new CoppiceError('invalid-tree', `${shown(node.path, '')} is a symbolic link to a path longer than ${maxLinkBytes} bytes`);
        }
        return [node.path, (await source.contents(node.raw.id, maxLinkBytes))?.content.toString('utf8') ?? ''];
      }),
  );
  return new Map(links);
}

function flatten(root: Folder, sizes: ReadonlyMap<string, number>, count: number): TreeListing {
  const entries: SourceEntry[] = [];
  const byPath = new Map<string, number>();
  const folderEnds = new Map<number, number>();
  const open = [{ folder: root, at: -1, next: 0 }];
  while (entries.length <= count) {
    const top = open.at(-1);
    if (!top) break;
    const node = top.folder.children[top.next];
    if (!node) {
      folderEnds.set(top.at, entries.length);
      open.pop();
      continue;
    }
    top.next += 1;
    const { kind, id } = node.raw;
    byPath.set(node.path, entries.length);
    if (node.folder) open.push({ folder: node.folder, at: entries.length, next: 0 });
    entries.push({ path: node.path, kind, id, size: sizes.get(id) ?? 0 });
  }
  return { id: root.id, entries, byPath, folderEnds };
}
