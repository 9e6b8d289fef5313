import type { Digest, NodeName } from '@coppice/model';
import type { Perform } from './execute-plan.ts';
import type { PerformerParts } from './performer-parts.ts';

const drainPollMs = 50;

/** The steps that take something down. */
export function stopSteps(
  parts: PerformerParts,
): Pick<Perform, 'drain' | 'stop' | 'remove-instances' | 'remove-routes' | 'remove-network' | 'remove-volumes'> {
  const { engine, volumes, router, context, world } = parts;
  const { environment } = context;
  const deleting = parts.plan.steps.some((step) => step.kind === 'remove-network' || step.kind === 'remove-volumes');
  return {
    drain: async ({ node, digest }, signal) => await drain(parts, { node, digest }, signal),
    stop: async ({ node, digest }) => {
      if (!deleting) await world.retract(await idsOf(parts, { node, digest }));
      await engine.stopGeneration({ environment, node, digest }, context.stop(node));
      if (!deleting) await world.applyPolicy();
    },
    'remove-instances': async ({ node, instances }) => {
      await world.retract(instances);
      await engine.removeInstances(environment, instances, context.stop(node));
      await world.applyPolicy();
    },
    'remove-routes': async () => await router.remove(environment),
    'remove-network': async () => {
      await removeJobs(parts);
      await engine.removeNetwork(environment);
    },
    'remove-volumes': async () => {
      await removeJobs(parts);
      await volumes.removeSet(environment);
    },
  };
}

interface Generation {
  readonly node: NodeName;
  readonly digest: Digest;
}

/** Waits until nobody is served by what is to go, or the time is over: a stream without end must not hold up a release. */
async function drain(
  { plan, router, clock, limits, ...parts }: PerformerParts,
  generation: Generation,
  signal: AbortSignal,
): Promise<void> {
  const { node, digest } = generation;
  const surplus = plan.steps.find((step) => step.kind === 'remove-instances' && step.node === node && step.digest === digest);
  const ids = surplus?.kind === 'remove-instances' ? surplus.instances : await idsOf(parts, generation);
  const untilMs = clock.nowMs() + limits.drainMs;
  for (const id of ids) {
    while ((await router.openRequests(id)) > 0) {
      if (clock.nowMs() >= untilMs) {
        parts.context.log(`${node}: requests are still open after ${limits.drainMs / 1000} s; they are cut off`);
        return;
      }
      await clock.sleep(drainPollMs, signal);
    }
  }
}

async function idsOf({ world }: Pick<PerformerParts, 'world'>, { node, digest }: Generation): Promise<readonly string[]> {
  const { generations } = await world.look();
  const own = generations.filter((generation) => generation.node === node && generation.digest === digest);
  return own.flatMap((generation) => generation.instances.map((instance) => instance.id));
}

/** Jobs of an environment that goes; they hold its network and volumes. */
async function removeJobs({ engine, context, world }: PerformerParts): Promise<void> {
  const { jobs } = await world.look();
  for (const { deployment, node, hook } of jobs) await engine.removeJob(context.environment, { deployment, node, hook });
}
