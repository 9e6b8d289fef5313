import type { EnvironmentSpec, NodeSpec, NodeTrace, VolumeMove } from '@coppice/model';
import type { TrashRecord } from '@coppice/state';
import { isDetached } from '../environment/kept-volumes.ts';
import { cannotHold } from '../release/data-gate.ts';
import { keepsData } from './touches-data.ts';

/** What lies in a set of volumes, and what shall use it. */
export interface MoveQuestion {
  readonly spec: EnvironmentSpec;
  /** As it was served until now; undefined where nothing was. */
  readonly served: EnvironmentSpec | undefined;
  /** Folders of nodes in the set, each with the node as it was last declared. */
  readonly held: ReadonlyMap<string, NodeSpec | undefined>;
  /** Of this environment, newest first. */
  readonly trash: readonly Pick<TrashRecord, 'node' | 'folder' | 'type'>[];
  /** Names what is put aside; another at each call. */
  readonly newId: () => string;
}

/**
 * Renames of volumes so that each node finds its own: what a node cannot use goes aside as `NODE~ID`; what moved, what went aside before and
 * fits, and what a revert of a move wants back comes to it. Each is done only where its source is there and its goal is not. Pure.
 */
export function volumeMoves(question: MoveQuestion): readonly VolumeMove[] {
  const { spec, held, newId } = question;
  const moves: VolumeMove[] = [];
  for (const node of spec.nodes.filter(keepsData)) {
    const owner = held.get(node.name);
    const isHeld = held.has(node.name);
    const isForeign = isHeld && owner !== undefined && cannotHold(node, owner);
    if (isForeign) moves.push({ from: node.name, to: `${node.name}~${newId()}` });
    const from = isHeld && !isForeign ? undefined : sourceOf(node, question);
    if (from !== undefined) moves.push({ from, to: node.name });
  }
  return moves;
}

function sourceOf(node: NodeSpec, { spec, served, held, trash }: MoveQuestion): string | undefined {
  const isFree = (name: string): boolean => {
    const owner = held.get(name);
    return held.has(name) && !spec.nodes.some((other) => other.name === name) && (owner === undefined || !cannotHold(node, owner));
  };
  if (node.movedFrom !== undefined && isFree(node.movedFrom)) return node.movedFrom;
  const laidAside = trash.find(({ node: of, folder, type }) => of === node.name && folder !== node.name && canUse(node, type));
  if (laidAside?.folder !== undefined) return laidAside.folder;
  const moved = served?.nodes.find((other) => other.movedFrom === node.name && isFree(other.name));
  return moved?.name;
}

/** Who wrote what went aside, as the trash remembers it. */
export function writerText({ type, version }: Pick<NodeTrace, 'type' | 'version'>): string {
  return `${type}:${version}`;
}

function canUse(node: NodeSpec, writer: string | undefined): boolean {
  const [type, version] = writer?.split(':') ?? [];
  if (type === undefined) return false;
  return !cannotHold(node, { ...node, trace: { ...node.trace, type, version: version ?? node.trace.version } });
}

/**
 * Undoes those renames that were done, as the folders that are there tell, last one first. What was begun in the place of what went aside
 * goes aside itself. Pure.
 */
export function undone(
  moves: readonly VolumeMove[],
  { folders, newId }: { readonly folders: ReadonlySet<string>; readonly newId: () => string },
): readonly VolumeMove[] {
  const there = new Set(folders);
  const back: VolumeMove[] = [];
  const rename = (from: string, to: string): void => {
    back.push({ from, to });
    there.delete(from);
    there.add(to);
  };
  const done = moves.filter(({ from, to }) => folders.has(to) && (isDetached(to) || !folders.has(from)));
  for (const { from, to } of [...done].reverse()) {
    if (there.has(from)) rename(from, `${from}~${newId()}`);
    rename(to, from);
  }
  return back;
}

/** Those that are still to be made, one after the other, each only where its source is there and its goal is not. Pure. */
export function pendingMoves(moves: readonly VolumeMove[], folders: ReadonlySet<string>): readonly VolumeMove[] {
  const there = new Set(folders);
  return moves.filter(({ from, to }) => {
    if (!there.has(from) || there.has(to)) return false;
    there.delete(from);
    there.add(to);
    return true;
  });
}
