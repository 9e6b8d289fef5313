import type { Engine } from '@coppice/engine';
import { CoppiceError, type EnvironmentSpec, type ImagePin, type ObservedEnvironment } from '@coppice/model';
import type { Plan } from '@coppice/plan';
import type { Router } from '@coppice/router';
import type { Volumes } from '@coppice/volumes';
import { type Clock, monotonicClock } from './clock.ts';
import type { EnvironmentContext } from './environment-context.ts';
import type { Perform } from './execute-plan.ts';
import type { PerformerLimits, PerformerParts } from './performer-parts.ts';
import { createProber, type Prober } from './prober.ts';
import { runJob } from './run-job.ts';
import { ServingSet } from './serving-set.ts';
import { startSteps } from './start-steps.ts';
import { stopSteps } from './stop-steps.ts';
import { WorldView } from './world-view.ts';

/** What the steps of one plan work on. */
export interface PerformerOptions {
  readonly engine: Engine;
  readonly volumes: Volumes;
  readonly router: Router;
  readonly context: EnvironmentContext;
  readonly plan: Plan;
  /** The world and the served spec the plan was made from: they say what serves until the plan switches it. */
  readonly observed: ObservedEnvironment;
  readonly previous?: EnvironmentSpec | undefined;
  readonly clock?: Clock;
  readonly prober?: Prober;
  readonly limits?: Partial<PerformerLimits>;
}

/**
 * The steps of one plan over the ports. Made anew for each plan. Steps throw what the ports throw, and `not-ready`, `job-failed`,
 * `interrupted`; each may be run again.
 */
export function createPerformer(options: PerformerOptions): Perform {
  const { engine, volumes, router, context, plan, observed, previous } = options;
  const clock = options.clock ?? monotonicClock;
  const serving = new ServingSet({ plan, observed, previous });
  const parts: PerformerParts = {
    plan,
    engine: sharingPulls(engine),
    volumes,
    router,
    context,
    clock,
    prober: options.prober ?? createProber({ engine, clock }),
    serving,
    world: new WorldView({ engine, router, context, serving }),
    limits: { drainMs: 10_000, jobTimeoutMs: 3_600_000, ...options.limits },
  };
  return { ...startSteps(parts), ...switchSteps(parts), ...stopSteps(parts), 'run-job': hookStep(parts) };
}

function switchSteps({ world, serving }: PerformerParts): Pick<Perform, 'switch-address' | 'switch-routes'> {
  return {
    'switch-address': async ({ node, digest }) => {
      serving.lead(await world.look(), node, digest);
      await world.applyPolicy();
    },
    'switch-routes': async () => await world.applyRoutes(),
  };
}

function hookStep(parts: PerformerParts): Perform['run-job'] {
  const { engine, volumes, context, world, clock, limits } = parts;
  return async ({ node, hook }, signal) => {
    const { hooks } = context.spec(node);
    const command = hook === 'deploy' ? hooks.deploy : hooks.postDeploy;
    if (command === undefined) throw new CoppiceError('internal', `${node} has no hook ${hook}`);
    const job = { engine, volumes, context, world, clock, jobTimeoutMs: limits.jobTimeoutMs };
    await runJob(job, { key: { deployment: context.deployment, node, hook }, command }, signal);
  };
}

/** Nodes with one image, an application and its workers, pull it once. */
function sharingPulls(engine: Engine): Engine {
  const pulls = new Map<string, Promise<void>>();
  const ensureImage = async (image: ImagePin): Promise<void> => {
    const key = image.foreign ?? image.manifest;
    const pull = pulls.get(key) ?? engine.ensureImage(image);
    pulls.set(key, pull);
    await pull;
  };
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'ensureImage') return ensureImage;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
