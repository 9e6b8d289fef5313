import type { EngineListing } from '@coppice/engine';
import type { Digest, EnvironmentId, EnvironmentSpec, ObservedEnvironment, ObservedGeneration, ObservedInstance } from '@coppice/model';
import type { Ports } from '../ports.ts';
import type { HealthMonitor } from './health-monitor.ts';

/** The world of one environment as it is now: engine, volumes, router, and a fresh probe of what has not been probed. */
export async function observe(
  ports: Ports,
  health: HealthMonitor,
  id: EnvironmentId,
  spec: EnvironmentSpec | undefined,
): Promise<ObservedEnvironment> {
  const [listing, volumes, routes] = await Promise.all([ports.engine.inspect(id), ports.volumes.inspect(id), ports.router.current()]);
  return observed(listing, volumes, routes.get(id), await probeAll(listing, health, spec));
}

function observed(
  listing: EngineListing,
  volumes: ObservedEnvironment['volumes'],
  routes: Digest | undefined,
  generations: readonly ObservedGeneration[],
): ObservedEnvironment {
  return { network: listing.network, jobs: listing.jobs, volumes, routes, generations };
}

async function probeAll(
  listing: EngineListing,
  health: HealthMonitor,
  spec: EnvironmentSpec | undefined,
): Promise<readonly ObservedGeneration[]> {
  return await Promise.all(
    listing.generations.map(async (generation) => {
      const node = spec?.nodes.find((candidate) => candidate.name === generation.node);
      if (!node) return generation;
      const instances = await Promise.all(
        generation.instances.map(
          async (instance): Promise<ObservedInstance> => ({ ...instance, readiness: await health.check(instance, node.readiness) }),
        ),
      );
      return { ...generation, instances };
    }),
  );
}
