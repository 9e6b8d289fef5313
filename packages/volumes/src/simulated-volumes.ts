import { CoppiceError, type EnvironmentId, type SnapshotId } from '@coppice/model';
import { checkGeneration, nodeFolder, parseOwner, setFolderName, snapshotFolderName, volumeFolder } from './volume-name.ts';
import type { Replacement, VolumeDriver, VolumeRef, Volumes } from './volumes.ts';

/** Volumes in memory, whose data is one text each. */
export interface SimulatedVolumes extends Volumes {
  /** What a volume holds, '' from the start. Throws `not-found` where it is not there. */
  read(volume: VolumeRef): string;
  /** Throws `not-found`. */
  write(volume: VolumeRef, text: string): void;
}

type Found = Omit<VolumeRef, 'environment'>;

interface Held extends Found {
  readonly text: string;
}

interface SimulatedSet {
  readonly environment: EnvironmentId;
  readonly generation: number;
  /** By `<node>/<folder of the volume>`. */
  readonly held: ReadonlyMap<string, Held>;
}

const driver: VolumeDriver = { name: 'simulated', costs: 'nothing: there is no data on disk', quota: 'not enforced' };

/** Volumes in memory, for tests: the same names are allowed and refused as on a host, but no path it gives exists. */
export function createSimulatedVolumes(): SimulatedVolumes {
  const sets = new Map<EnvironmentId, SimulatedSet>();
  const kept = new Map<SnapshotId, SimulatedSet>();
  const mustHold = (environment: EnvironmentId): SimulatedSet => {
    setFolderName(environment);
    const set = sets.get(environment);
    if (set === undefined) throw new CoppiceError('not-found', `there are no volumes of ${environment} that are this server's`);
    return set;
  };
  const mustHoldVolume = (ref: VolumeRef): Held => {
    const held = mustHold(ref.environment).held.get(keyOf(ref));
    if (held === undefined) throw new CoppiceError('not-found', `there is no volume ${ref.volume} of ${ref.node}`);
    return held;
  };
  const put = (ref: VolumeRef, text: string): void => {
    const { environment, node, volume } = ref;
    const { generation, held } = sets.get(environment) ?? { generation: 0, held: [] };
    sets.set(environment, { environment, generation, held: new Map([...held, [keyOf(ref), { node, volume, text }]]) });
  };
  const keep = (set: SimulatedSet, id: SnapshotId): void => {
    mustBeFree(kept, id);
    kept.set(id, set);
  };
  const inspect = (environment: EnvironmentId): readonly Found[] => {
    setFolderName(environment);
    return [...(sets.get(environment)?.held.values() ?? [])].map(({ node, volume }) => ({ node, volume })).sort(byName);
  };
  const changeNodes = (environment: EnvironmentId, change: (held: readonly Held[]) => readonly Held[]): void => {
    setFolderName(environment);
    const set = sets.get(environment);
    if (set === undefined) return;
    sets.set(environment, { ...set, held: new Map(change([...set.held.values()]).map((each) => [keyOf(each), each])) });
  };
  const replace = ({ environment, generation, from, keep: keeps, aside }: Replacement): void => {
    for (const id of [from, aside]) snapshotFolderName(id);
    setFolderName(environment);
    checkGeneration(generation);
    const before = sets.get(environment);
    if (before?.generation === generation) return;
    const source = kept.get(from);
    if (source === undefined) throw new CoppiceError('not-found', `there is no kept copy ${from} that is this server's`);
    if (before !== undefined) keep(before, aside);
    if (!keeps) kept.delete(from);
    sets.set(environment, { ...source, environment, generation });
  };
  const path = (ref: VolumeRef): string => {
    const { node, volume } = volumeFolder(ref);
    return `/simulated/${setFolderName(ref.environment)}/data/${node}/${volume}`;
  };
  return {
    driver,
    path,
    async ensure(ref, user) {
      const at = path(ref);
      parseOwner(user);
      if (!sets.get(ref.environment)?.held.has(keyOf(ref))) put(ref, '');
      return at;
    },
    list: async () => new Map([...sets.keys()].sort().map((environment) => [environment, inspect(environment)])),
    inspect: async (environment) => inspect(environment),
    async generation(environment) {
      setFolderName(environment);
      return sets.get(environment)?.generation;
    },
    async snapshot({ environment, id }) {
      snapshotFolderName(id);
      keep(mustHold(environment), id);
    },
    snapshots: async () =>
      [...kept].map(([id, { environment }]) => ({ id, environment })).sort((left, right) => (left.id < right.id ? -1 : 1)),
    async removeSnapshot(id) {
      snapshotFolderName(id);
      kept.delete(id);
    },
    replace: async (change) => replace(change),
    async setAside({ environment, id }) {
      snapshotFolderName(id);
      setFolderName(environment);
      const set = sets.get(environment);
      if (set === undefined) return;
      keep(set, id);
      sets.delete(environment);
    },
    async moveNode({ environment, from, to }) {
      for (const name of [from, to]) nodeFolder(name);
      changeNodes(environment, (held) =>
        held.some(({ node }) => node === to)
          ? held
          : held.map((each) => (each.node === from ? { ...each, node: to as Held['node'] } : each)),
      );
    },
    async removeNode({ environment, node }) {
      nodeFolder(node);
      changeNodes(environment, (held) => held.filter((each) => each.node !== node));
    },
    async snapshotUsage(id) {
      snapshotFolderName(id);
      return 0;
    },
    sync: async (environment) => void mustHold(environment),
    async removeSet(environment) {
      setFolderName(environment);
      sets.delete(environment);
    },
    setQuota: async () => undefined,
    async usage(environment) {
      setFolderName(environment);
      return 0;
    },
    read: (ref) => mustHoldVolume(ref).text,
    write(ref, text) {
      mustHoldVolume(ref);
      put(ref, text);
    },
  };
}

/** Where a volume lies below the data of its set; a detached node's too. Throws `volume-failed`. */
function keyOf({ node, volume }: Found): string {
  return `${nodeFolder(node)}/${volumeFolder({ node: node.split('~')[0] as Found['node'], volume }).volume}`;
}

function mustBeFree(kept: ReadonlyMap<SnapshotId, SimulatedSet>, id: SnapshotId): void {
  if (kept.has(id)) throw new CoppiceError('conflict', `there is a kept copy ${id} already`);
}

function byName(left: Found, right: Found): number {
  if (left.node !== right.node) return left.node < right.node ? -1 : 1;
  return left.volume < right.volume ? -1 : 1;
}
