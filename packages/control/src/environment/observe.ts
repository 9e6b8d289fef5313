import type { EngineListing } from '@coppice/engine';
import {
  type EnvironmentId,
  type EnvironmentSpec,
  nodeDigest,
  type ObservedEnvironment,
  type ObservedGeneration,
  type ObservedInstance,
} from '@coppice/model';
import type { Ports } from '../ports.ts';
import type { HealthMonitor, Watched } from './health-monitor.ts';

/** The world of one environment as it is now: engine, volumes, router, and a fresh probe of what has not been probed. */
export async function observe(
  ports: Ports,
  health: HealthMonitor,
  id: EnvironmentId,
  spec: EnvironmentSpec | undefined,
): Promise<ObservedEnvironment> {
  const { engine, router } = ports;
  const [listing, volumes, dataGeneration, tables] = await Promise.all([
    engine.inspect(id),
    ports.volumes.inspect(id),
    ports.volumes.generation(id),
    router.current(),
  ]);
  const { network, rules, jobs, frozen = false } = listing;
  const hold = (await router.holding()).get(id);
  return {
    network,
    rules,
    frozen,
    jobs,
    volumes,
    dataGeneration,
    routes: tables.get(id),
    hold,
    // What stands still answers nobody, however long a probe waits.
    generations: frozen ? listing.generations : await probed(listing, health, spec),
  };
}

async function probed(
  listing: EngineListing,
  health: HealthMonitor,
  spec: EnvironmentSpec | undefined,
): Promise<readonly ObservedGeneration[]> {
  return await Promise.all(
    listing.generations.map(async (generation) => {
      const node = spec?.nodes.find((candidate) => candidate.name === generation.node);
      if (!node) return generation;
      const { readiness } = node;
      const instances = await Promise.all(
        generation.instances.map(
          async (instance): Promise<ObservedInstance> => ({
            ...instance,
            readiness: isDetached(instance) ? 'unready' : await health.check({ instance, readiness }),
          }),
        ),
      );
      return { ...generation, instances };
    }),
  );
}

/** Taken out of its network, nobody reaches it, also where its process is well. */
function isDetached({ state, address }: ObservedInstance): boolean {
  return state === 'running' && address === undefined;
}

/** The instances of the desired generations, and how they are probed: what is to be watched. */
export function watchable(spec: EnvironmentSpec | undefined, generations: readonly ObservedGeneration[]): readonly Watched[] {
  return (spec?.nodes ?? []).flatMap((node) => {
    const digest = nodeDigest(node);
    return generations
      .filter((generation) => generation.node === node.name && generation.digest === digest)
      .flatMap(({ instances }) => instances.map((instance) => ({ instance, readiness: node.readiness })));
  });
}
