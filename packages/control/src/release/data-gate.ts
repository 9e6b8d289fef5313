import { CoppiceError, type EnvironmentSpec, type NodeName, type NodeSpec } from '@coppice/model';

/** A volume that exists, and the node it was made for as it was last deployed (undefined where no record is left). */
export interface KeptVolume {
  readonly node: NodeName;
  readonly volume: string;
  readonly owner: NodeSpec | undefined;
  /** What serves mounts it. One that a revert already let go of lies on disk, and a push does not take it away once more. */
  readonly attached: boolean;
}

/**
 * Data is never destroyed by a push: refuses (`data-loss-refused`) a spec in which a node with data is gone, has another type, an
 * older version, or does not mount the volume any more, unless the file says where it `moved` or the push lets it go (`allowed`). Not asked
 * for a tree that this environment already deployed (a revert).
 */
export function checkDataIsKept(spec: EnvironmentSpec, kept: readonly KeptVolume[], allowed: ReadonlySet<string> = new Set()): void {
  const refusals = [...new Set(kept.filter(({ node }) => !allowed.has(node)).flatMap((volume) => lossOf(volume, spec)))];
  if (refusals.length === 0) return;
  throw new CoppiceError('data-loss-refused', refusals.join('\n'), {
    hint: 'declare it as it was; or say where it went: moved: { from: NODE }; or let it go into the trash: git push -o allow-destroy=NODE',
  });
}

/** Whether a node cannot use the data that another wrote: it is of another type, or of a newer version than the node's. */
export function cannotHold(node: NodeSpec, owner: NodeSpec): boolean {
  return node.trace.type !== owner.trace.type || (node.kind === 'service' && isOlder(node.trace.version, owner.trace.version));
}

function lossOf({ node, volume, owner, attached }: KeptVolume, spec: EnvironmentSpec): readonly string[] {
  const next = spec.nodes.find((candidate) => candidate.name === node) ?? spec.nodes.find(({ movedFrom }) => movedFrom === node);
  if (!next && !attached) return [];
  if (!next) return [`${node} holds data and is not in the file any more: removing or renaming it would lose ${describe(volume)}`];
  if (owner && owner.trace.type !== next.trace.type) {
    return [`${node} holds data of ${owner.trace.type} and cannot become ${next.trace.type}`];
  }
  if (owner && cannotHold(next, owner)) {
    return [
      `${node} holds data of ${owner.trace.type}:${owner.trace.version} and cannot go back to version ${next.trace.version}: ` +
        'bring back a backup from before the upgrade (coppice backup list) with a revert, or let its data go',
    ];
  }
  const mounted = spec.nodes.some((candidate) =>
    candidate.mounts.some((mount) => [mount.node ?? candidate.name, candidate.movedFrom].includes(node) && mount.volume === volume),
  );
  return mounted || !attached ? [] : [`${node} does not mount ${describe(volume)} any more, which holds data`];
}

function describe(volume: string): string {
  return `its volume "${volume}"`;
}

function isOlder(next: string, previous: string): boolean {
  const [a, b] = [numbers(next), numbers(previous)];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbers(version: string): readonly number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}
