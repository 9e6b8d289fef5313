import { CoppiceError, type EnvironmentId, type SnapshotId } from '@coppice/model';
import { checkGeneration, nodeFolder, parseOwner, setFolderName, snapshotFolderName, volumeFolder } from './volume-name.ts';
import type { Replacement, VolumeDriver, VolumeRef, Volumes } from './volumes.ts';

/** Volumes in memory, whose data is one text each. What they hold outlives who opened them. */
export interface SimulatedVolumes extends Volumes {
  /** What a volume holds, '' from the start. Throws `not-found` where it is not there. */
  read(volume: VolumeRef): string;
  /** Throws `not-found`. */
  write(volume: VolumeRef, text: string): void;
  /** All sets as they are; one that changes becomes another value. */
  sets(): ReadonlyMap<EnvironmentId, SimulatedSet>;
  /** All kept copies. */
  kept(): ReadonlyMap<SnapshotId, SimulatedSet>;
  /** Called within a replacement, when the old set is aside and the new one is not there yet. To throw is a failure, to hang a kill. */
  onHalf(hook: (environment: EnvironmentId) => void | Promise<void>): void;
  /** What a server does when it opens them: ends what was cut off. */
  reopen(): void;
}

type Found = Omit<VolumeRef, 'environment'>;

export interface SimulatedVolume extends Found {
  readonly text: string;
}

export interface SimulatedSet {
  /** Whose data it is, or was. */
  readonly environment: EnvironmentId;
  readonly generation: number;
  /** By `<node>/<folder of the volume>`. */
  readonly held: ReadonlyMap<string, SimulatedVolume>;
}

type Held = SimulatedVolume;

const simulatedDriver: VolumeDriver = { name: 'simulated', costs: 'nothing: there is no data on disk', quota: 'not enforced' };

/**
 * Volumes in memory, for tests: the same names are allowed and refused as on a host, but no path it gives exists. `driver`: what they say
 * they are.
 */
export function createSimulatedVolumes(driver: VolumeDriver = simulatedDriver): SimulatedVolumes {
  const sets = new Map<EnvironmentId, SimulatedSet>();
  const kept = new Map<SnapshotId, SimulatedSet>();
  /** Where the set of an environment lies while it is replaced. */
  const replacing = new Map<EnvironmentId, SnapshotId>();
  let half: Parameters<SimulatedVolumes['onHalf']>[0] = () => undefined;
  /** As on a host, before anything else is done with the environment. */
  const putBack = (environment: EnvironmentId): void => {
    const aside = replacing.get(environment);
    const set = aside && kept.get(aside);
    if (!set || sets.has(environment)) return;
    kept.delete(aside);
    sets.set(environment, set);
    replacing.delete(environment);
  };
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
    putBack(environment);
    const set = sets.get(environment);
    if (set === undefined) return;
    sets.set(environment, { ...set, held: new Map(change([...set.held.values()]).map((each) => [keyOf(each), each])) });
  };
  const replace = async ({ environment, generation, from, keep: keeps, aside }: Replacement): Promise<void> => {
    for (const id of [from, aside]) snapshotFolderName(id);
    setFolderName(environment);
    checkGeneration(generation);
    putBack(environment);
    const before = sets.get(environment);
    if (before?.generation === generation) return;
    const source = kept.get(from);
    if (source === undefined) throw new CoppiceError('not-found', `there is no kept copy ${from} that is this server's`);
    if (before !== undefined) {
      keep(before, aside);
      sets.delete(environment);
      replacing.set(environment, aside);
      await half(environment);
    }
    if (!keeps) kept.delete(from);
    sets.set(environment, { ...source, environment, generation });
    replacing.delete(environment);
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
      putBack(ref.environment);
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
      putBack(environment);
      keep(mustHold(environment), id);
    },
    snapshots: async () =>
      [...kept].map(([id, { environment }]) => ({ id, environment })).sort((left, right) => (left.id < right.id ? -1 : 1)),
    async removeSnapshot(id) {
      snapshotFolderName(id);
      kept.delete(id);
    },
    replace,
    async setAside({ environment, id }) {
      snapshotFolderName(id);
      setFolderName(environment);
      putBack(environment);
      const set = sets.get(environment);
      if (set === undefined) return;
      keep(set, id);
      replacing.delete(environment);
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
      putBack(environment);
      sets.delete(environment);
    },
    setQuota: async () => undefined,
    volumeUsage: async (environment) => inspect(environment).map((ref) => ({ ...ref, bytes: 0 })),
    async usage(environment) {
      setFolderName(environment);
      return 0;
    },
    read: (ref) => mustHoldVolume(ref).text,
    write(ref, text) {
      mustHoldVolume(ref);
      put(ref, text);
    },
    sets: () => sets,
    kept: () => kept,
    onHalf(hook) {
      half = hook;
    },
    reopen() {
      for (const environment of replacing.keys()) putBack(environment);
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
