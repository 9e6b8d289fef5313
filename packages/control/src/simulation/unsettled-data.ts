import type { EnvironmentId, SnapshotId } from '@coppice/model';
import type { SimulatedServer } from './simulated-server.ts';

/** What does not hold yet of the data in a world that should have come to rest; undefined where all is as it shall be. */
export async function unsettledData({ ports, engine, volumes }: SimulatedServer): Promise<string | undefined> {
  const { store } = ports;
  const frozen = engine.containers().find((sight) => sight.frozen);
  if (frozen) return `${frozen.node} of ${frozen.environment} is frozen`;
  for (const { id, desired, branch, live } of store.environments.list()) {
    const set = volumes.sets().get(id);
    if (desired.volumeMoves) return `${branch}: moves of volumes are left: ${JSON.stringify(desired.volumeMoves)}`;
    if (desired.dataSource && set?.generation !== desired.dataGeneration)
      return `${branch}: it has not got its data ${desired.dataGeneration}`;
    const served = live && store.deployments.specOf(live);
    const nodes = (served && store.releases.getSpec(served)?.nodes) || [];
    const used = new Set<string>(nodes.flatMap((node) => node.mounts.map((mount) => mount.node ?? node.name)));
    const folders = new Set<string>([...(set?.held.values() ?? [])].map(({ node }) => node));
    const laidAside = new Set(store.trash.list({ environment: id }).flatMap(({ folder }) => folder ?? []));
    for (const folder of folders)
      if (!used.has(folder) && !laidAside.has(folder)) return `${branch}: ${folder} is used by nobody and not in the trash`;
    for (const folder of laidAside)
      if (used.has(folder) || !folders.has(folder)) return `${branch}: ${folder} is in the trash and not laid aside`;
  }
  const gone = store.trash.list({}).find(({ environment, folder }) => folder !== undefined && !store.environments.get(environment));
  return gone && `${gone.folder} is in the trash by itself, and its environment is gone`;
}

/** What the next sweep has to put right; undefined where it has nothing to do. */
export async function unsweptData({ ports, volumes }: SimulatedServer): Promise<string | undefined> {
  const { store } = ports;
  const inTrash = store.trash.list({}).filter(({ snapshot }) => snapshot !== undefined);
  const isGone = (id: EnvironmentId): boolean => !store.environments.get(id) && !inTrash.some(({ environment }) => environment === id);
  const outdated = store.backups.list({}).find(({ kind, environment }) => kind !== 'manual' && isGone(environment));
  if (outdated) return `the backup ${outdated.id} is of an environment that cannot come back`;
  const backups = store.backups.list({}).map(({ id }) => id);
  const trash = inTrash.flatMap(({ snapshot }) => snapshot ?? []);
  const missing = [...backups, ...trash].find((id) => !volumes.kept().has(id));
  if (missing) return `there is no copy ${missing}, although it is named`;
  const named = new Set<SnapshotId | undefined>([...backups, ...trash]);
  for (const { id, desired } of store.environments.list()) {
    named.add(desired.keepData);
    if (volumes.sets().get(id)?.generation !== desired.dataGeneration) named.add(desired.dataSource?.from).add(desired.dataSource?.aside);
  }
  const orphan = [...volumes.kept().keys()].find((id) => !named.has(id));
  return orphan && `nothing names the copy ${orphan}`;
}
