import {
  type Digest,
  type EnvironmentSpec,
  type NodeName,
  nodeDigest,
  type ObservedEnvironment,
  type ObservedGeneration,
} from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';

/**
 * The generation each node's stable address leads to before a plan begins: the desired one where all of it is ready, else whatever else
 * still runs, else the desired one.
 */
export function servingNow(spec: EnvironmentSpec, generations: readonly ObservedGeneration[]): ReadonlyMap<NodeName, Digest> {
  const serving = new Map<NodeName, Digest>();
  for (const node of spec.nodes) {
    const wanted = nodeDigest(node);
    const own = generations.filter((generation) => generation.node === node.name);
    const ready = own.find((generation) => generation.digest === wanted && isReady(generation));
    const other = own.find(
      (generation) => generation.digest !== wanted && generation.instances.some((instance) => instance.state === 'running'),
    );
    serving.set(node.name, (ready ?? other)?.digest ?? wanted);
  }
  for (const { node, digest } of generations) if (!serving.has(node)) serving.set(node, digest);
  return serving;
}

/** Ids of the desired instances that run and were not seen ready: a server that died may have started them. No route leads to them yet. */
export function unconfirmed(
  { desired }: Pick<EnvironmentRecord, 'desired'>,
  observed: Pick<ObservedEnvironment, 'generations'>,
): readonly string[] {
  return (desired.spec?.nodes ?? []).flatMap((node) => {
    const digest = nodeDigest(node);
    return observed.generations
      .filter((generation) => generation.node === node.name && generation.digest === digest)
      .flatMap(({ instances }) =>
        instances.filter(({ state, readiness }) => state === 'running' && readiness !== 'ready').map(({ id }) => id),
      );
  });
}

function isReady(generation: ObservedGeneration): boolean {
  return (
    generation.instances.length > 0 &&
    generation.instances.every((instance) => instance.state === 'running' && instance.readiness === 'ready')
  );
}
