import { CoppiceError, type EnvironmentId } from '@coppice/model';
import { parseOwner, setFolderName, volumeFolder } from './volume-name.ts';
import type { VolumeDriver, VolumeRef, Volumes } from './volumes.ts';

type Found = Omit<VolumeRef, 'environment'>;

const driver: VolumeDriver = { name: 'simulated', costs: 'nothing: there is no data', quota: 'not enforced' };

/** Volumes in memory, for tests: the same names are allowed and refused as on a host, but no path it gives exists. */
export function createSimulatedVolumes(): Volumes {
  const sets = new Map<EnvironmentId, Map<string, Found>>();
  const path = (ref: VolumeRef): string => {
    const { node, volume } = volumeFolder(ref);
    return `/simulated/${setFolderName(ref.environment)}/data/${node}/${volume}`;
  };
  const inspect = (environment: EnvironmentId): readonly Found[] => {
    setFolderName(environment);
    return [...(sets.get(environment)?.values() ?? [])].sort(byName);
  };
  const mustHold = (environment: EnvironmentId): Map<string, Found> => {
    setFolderName(environment);
    const set = sets.get(environment);
    if (set === undefined) throw new CoppiceError('not-found', `there are no volumes of ${environment} that are this server's`);
    return set;
  };
  return {
    driver,
    path,
    async ensure(ref, user) {
      const at = path(ref);
      parseOwner(user);
      const set = sets.get(ref.environment) ?? new Map<string, Found>();
      set.set(at, { node: ref.node, volume: ref.volume });
      sets.set(ref.environment, set);
      return at;
    },
    list: async () => new Map([...sets.keys()].sort().map((environment) => [environment, inspect(environment)])),
    inspect: async (environment) => inspect(environment),
    async clone({ from, to }) {
      const found = [...mustHold(from).values()];
      setFolderName(to);
      if (sets.has(to)) throw new CoppiceError('conflict', `there are volumes of ${to} already`);
      sets.set(to, new Map(found.map((each) => [path({ ...each, environment: to }), each])));
    },
    sync: async (environment) => void mustHold(environment),
    async removeSet(environment) {
      setFolderName(environment);
      sets.delete(environment);
    },
    async usage(environment) {
      setFolderName(environment);
      return 0;
    },
  };
}

function byName(left: Found, right: Found): number {
  if (left.node !== right.node) return left.node < right.node ? -1 : 1;
  return left.volume < right.volume ? -1 : 1;
}
