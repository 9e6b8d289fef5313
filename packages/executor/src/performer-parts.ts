import type { Engine } from '@coppice/engine';
import type { Plan } from '@coppice/plan';
import type { Router } from '@coppice/router';
import type { Volumes } from '@coppice/volumes';
import type { Clock } from './clock.ts';
import type { EnvironmentContext } from './environment-context.ts';
import type { Prober } from './prober.ts';
import type { ServingSet } from './serving-set.ts';
import type { WorldView } from './world-view.ts';

/** What the steps of one plan share. */
export interface PerformerParts {
  readonly plan: Plan;
  readonly engine: Engine;
  readonly volumes: Volumes;
  readonly router: Router;
  readonly context: EnvironmentContext;
  readonly clock: Clock;
  readonly prober: Prober;
  readonly serving: ServingSet;
  readonly world: WorldView;
  readonly limits: PerformerLimits;
}

/** How long steps may take that nothing in the spec bounds. */
export interface PerformerLimits {
  /** Until open requests on old instances are given up; default 10 s. */
  readonly drainMs: number;
  /** Of one hook; default 1 h. */
  readonly jobTimeoutMs: number;
}
