import type { Desired, EnvironmentSpec } from '@coppice/model';
import { deploymentId, observedWorld } from '@coppice/model/builders';
import { describeChange } from './describe-plan.ts';
import { makePlan } from './make-plan.ts';
import type { PlanInput } from './plan-input.ts';
import type { Plan } from './plan-value.ts';

/** A plan of which a test states only what it is about: for an environment that shall be up, in an empty world. */
export function plan(spec: EnvironmentSpec | undefined, rest: Partial<PlanInput> & Partial<Omit<Desired, 'spec'>> = {}): Plan {
  const {
    exists = true,
    run = 'up',
    dataGeneration = 0,
    attempt = deploymentId('d_now'),
    dataSource,
    volumeMoves,
    keepData,
    ...input
  } = rest;
  const data = { ...(dataSource && { dataSource }), ...(volumeMoves && { volumeMoves }), ...(keepData && { keepData }) };
  const desired = { exists, run, spec, dataGeneration, attempt, ...data };
  return makePlan({ desired, observed: observedWorld(undefined), jobs: [], routes: undefined, ...input });
}

/** Each step as `id < what it waits for`, digests left out. */
export function shown(made: Plan): readonly string[] {
  const short = (id: string): string => id.replace(/ [0-9a-f]{12}$/, '');
  return made.steps.map((step) => (step.after.length === 0 ? short(step.id) : `${short(step.id)} < ${step.after.map(short).join(', ')}`));
}

/** What happens to each node, as people read it. */
export function changed(made: Plan): readonly string[] {
  return made.changes.map(describeChange);
}
