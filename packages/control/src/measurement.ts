import type { StepResult } from '@coppice/executor';
import type { ActivityKind, ActivityState, ErrorCode } from '@coppice/model';
import type { StepKind } from '@coppice/plan';

/** One thing that the control plane counts or times of itself, as data. Names nothing that people choose, so there are few kinds of each. */
export type Measurement =
  | { readonly kind: 'activity-ended'; readonly activity: ActivityKind; readonly state: Exclude<ActivityState, 'running'> }
  /** One failure, however many people and places are told of it. */
  | { readonly kind: 'failure'; readonly code: ErrorCode }
  | { readonly kind: 'step-ended'; readonly step: StepKind; readonly state: StepResult['state']; readonly durationMs: number }
  /** The loop looked at an environment. */
  | { readonly kind: 'look' }
  /** An environment was seen as desired, so long after a look at it was asked for. */
  | { readonly kind: 'settled'; readonly lagMs: number }
  | { readonly kind: 'crashes'; readonly count: number };

/** Takes measurements; quick, and never throws. */
export type Measure = (measurement: Measurement) => void;
