import type {
  Desired,
  MountSpec,
  NodeName,
  NodeSpec,
  ObservedEnvironment,
  ObservedGeneration,
  SnapshotId,
  VolumeMove,
} from '@coppice/model';
import { nodeDigest } from '@coppice/model';
import type { PlanInput } from './plan-input.ts';

/** What happens to the data of an environment as a whole, before anything that mounts it starts. */
export interface DataChange {
  /** To other data; undefined where the set is of the desired generation, or was the environment's own from the start. */
  readonly switch: DataSwitch | undefined;
  /** Renames of nodes' folders, in this order. After a switch all that are desired: what the new set holds is not known. */
  readonly moves: readonly VolumeMove[];
  /** The data is foreign and was not sanitised yet; undefined where it is open. */
  readonly closed: Closed | undefined;
}

export interface DataSwitch {
  readonly generation: number;
  readonly from: SnapshotId;
  readonly keep: boolean;
  readonly aside: SnapshotId;
}

export interface Closed {
  /** The node that sanitises. */
  readonly node: NodeName;
  readonly generation: number;
  /** Desired nodes that the job needs, through any number of others: the only ones that run before it. */
  readonly needs: ReadonlySet<NodeName>;
}

/** What is to happen to the data; undefined where nothing is. */
export function dataChangeOf({
  desired,
  observed,
  sanitizer,
}: Pick<PlanInput, 'desired' | 'observed' | 'sanitizer'>): DataChange | undefined {
  if (!desired.exists) return undefined;
  const change = { switch: pendingSwitch(desired, observed), closed: closedData(desired, sanitizer) };
  const moves = change.switch ? (desired.volumeMoves ?? []) : pendingMoves(desired.volumeMoves, observed.volumes);
  return change.switch || change.closed || moves.length > 0 ? { ...change, moves } : undefined;
}

/** Those of `nodes` that a node needs, through any number of others. Iterative. */
export function neededBy(root: NodeSpec | undefined, nodes: readonly NodeSpec[]): ReadonlySet<NodeName> {
  const known = new Map(nodes.map((node) => [node.name, node]));
  const needs = new Set<NodeName>();
  const need = (node: NodeSpec | undefined): void => {
    for (const { node: other } of node?.relationships ?? []) if (known.has(other)) needs.add(other);
  };
  need(root);
  for (const node of needs) need(known.get(node));
  return needs;
}

/** Mounts whose content is kept. */
export function keptMounts({ mounts }: NodeSpec): readonly MountSpec[] {
  return mounts.length === 0 ? mounts : mounts.filter(({ source }) => source !== 'tmp');
}

/** Folders of an environment's data that these nodes mount: their own, and those of others that they share. */
export function mountedFolders(nodes: readonly NodeSpec[]): ReadonlySet<string> {
  return new Set(nodes.flatMap((node) => keptMounts(node).map((mount) => mount.node ?? node.name)));
}

/** Whether the data that the node mounts becomes another, so that all it has there counts for nothing. */
export function isRebuilt(change: DataChange, spec: NodeSpec): boolean {
  const kept = keptMounts(spec);
  return kept.length > 0 && (change.switch !== undefined || mountsMoved(change.moves, spec.name, kept));
}

/**
 * The generations of one node that must be gone before the data changes: whatever state they are in, an engine that is slow may still
 * start them. What no spec tells of may hold anything. `specs`: the node as it is desired and as it was served.
 */
export function holders(
  change: DataChange,
  of: { readonly node: NodeName; readonly generations: readonly ObservedGeneration[]; readonly specs: readonly (NodeSpec | undefined)[] },
): readonly ObservedGeneration[] {
  const { node, generations, specs } = of;
  const mustStop = (kept: readonly MountSpec[]): boolean =>
    change.switch !== undefined || change.closed?.needs.has(node) === false || mountsMoved(change.moves, node, kept);
  return generations.filter(({ digest }) => {
    const spec = specs.find((candidate) => candidate && nodeDigest(candidate) === digest);
    if (!spec) return change.switch !== undefined || change.moves.length > 0 || change.closed?.needs.has(node) === false;
    const kept = keptMounts(spec);
    return kept.length > 0 && mustStop(kept);
  });
}

function mountsMoved(moves: readonly VolumeMove[], node: NodeName, kept: readonly MountSpec[]): boolean {
  return moves.some(({ from, to }) => kept.some((mount) => [from, to].includes(mount.node ?? node)));
}

function pendingSwitch({ dataSource, dataGeneration }: Desired, observed: ObservedEnvironment): DataSwitch | undefined {
  if (!dataSource || observed.dataGeneration === dataGeneration) return undefined;
  const { from, keep, aside } = dataSource;
  return { generation: dataGeneration, from, keep, aside };
}

/** As the volumes do them: one after the other, each only where `from` is there and `to` is not. */
function pendingMoves(desired: readonly VolumeMove[] | undefined, volumes: ObservedEnvironment['volumes']): readonly VolumeMove[] {
  if (!desired || desired.length === 0) return [];
  const there = new Set<string>(volumes.map(({ node }) => node));
  return desired.filter(({ from, to }) => {
    if (!there.has(from) || there.has(to)) return false;
    there.delete(from);
    there.add(to);
    return true;
  });
}

function closedData({ spec, dataSource, dataGeneration }: Desired, sanitizer: NodeSpec | undefined): Closed | undefined {
  const sanitize = dataSource?.sanitize;
  if (!sanitize || !spec) return undefined;
  return { node: sanitize.node, generation: dataGeneration, needs: neededBy(sanitizer, spec.nodes) };
}
