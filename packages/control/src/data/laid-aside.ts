import type { NodeSpec, VolumeMove } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import { isDetached } from '../environment/kept-volumes.ts';
import type { Ports } from '../ports.ts';
import { defaultRetention } from './configured-retention.ts';
import { writerText } from './volume-moves.ts';

type AsidePorts = Pick<Ports, 'store' | 'clock' | 'settings'>;

const dayMs = 86_400_000;

/** When what goes into the trash now is deleted for good; RFC 3339 in UTC. */
export function purgeAt({ clock, settings }: Pick<Ports, 'clock' | 'settings'>): string {
  const { trashDays } = settings.retention ?? defaultRetention;
  return new Date(clock.now().getTime() + trashDays * dayMs).toISOString();
}

/**
 * Puts into the trash what renames are about to put aside, with who wrote it: nothing tells later. `ownerOf`: the node that wrote to a folder.
 * Where the renames are never made, the next settling takes it out again.
 */
export function recordLaidAside(
  ports: AsidePorts,
  environment: EnvironmentRecord,
  { moves, ownerOf }: { readonly moves: readonly VolumeMove[]; readonly ownerOf: (node: string) => NodeSpec | undefined },
): void {
  for (const { from, to } of moves)
    if (isDetached(to) && !isDetached(from)) recordFolder(ports, environment, { folder: to, owner: ownerOf(from) });
}

/** Puts a folder of an environment's volumes into the trash; what nobody knows the writer of comes back to no node by itself. */
export function recordFolder(
  ports: AsidePorts,
  { id, project, name, branch, live }: EnvironmentRecord,
  { folder, owner }: { readonly folder: string; readonly owner: NodeSpec | undefined },
): void {
  if (ports.store.trash.list({ environment: id }).some((record) => record.folder === folder)) return;
  ports.store.trash.create({
    project,
    environment: id,
    environmentName: name,
    branch,
    node: folder.split('~')[0] ?? folder,
    folder,
    type: owner && writerText(owner.trace),
    snapshot: undefined,
    deployment: live,
    commit: undefined,
    purgeAt: purgeAt(ports),
  });
}
