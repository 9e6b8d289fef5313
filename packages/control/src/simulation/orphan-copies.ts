import type { SnapshotId } from '@coppice/model';
import type { SimulatedServer } from './simulated-server.ts';

/** A kept copy that no backup, nothing in the trash and no environment names; undefined where there is none. */
export async function orphanCopy({ ports }: SimulatedServer): Promise<SnapshotId | undefined> {
  const { store, volumes } = ports;
  const named = new Set<SnapshotId | undefined>(store.backups.list({}).map(({ id }) => id));
  for (const { snapshot } of store.trash.list({})) named.add(snapshot);
  for (const { id, desired } of store.environments.list()) {
    named.add(desired.keepData);
    if ((await volumes.generation(id)) !== desired.dataGeneration) named.add(desired.dataSource?.from).add(desired.dataSource?.aside);
  }
  return (await volumes.snapshots()).find(({ id }) => !named.has(id))?.id;
}
