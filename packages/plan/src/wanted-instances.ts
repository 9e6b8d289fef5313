import type { NodeSpec } from '@coppice/model';

/** Whether at most one live instance of the node may exist, since a volume of it is exclusive. */
export function isExclusive(spec: NodeSpec): boolean {
  return spec.mounts.some((mount) => mount.exclusive);
}

/** How many instances shall run: what the spec says, but never more than one on an exclusive volume. */
export function wantedInstances(spec: NodeSpec): number {
  return isExclusive(spec) ? Math.min(1, spec.instances) : spec.instances;
}
