import type { Desired, Digest, EnvironmentSpec, NodeName, NodeSpec, ObservedEnvironment } from '@coppice/model';

/** All that a plan is made of. Order of nodes, generations, instances and jobs does not matter. */
export interface PlanInput {
  readonly desired: Desired;
  /** With instances probed just before: one whose readiness is `unknown` is waited for, and nothing is led to it until then. */
  readonly observed: ObservedEnvironment;
  /**
   * The spec that was last served: for reasons, for the order in which nodes that are gone stop, and to tell a node that is new (whose
   * hooks run) from one that must only run again (whose hooks ran). Undefined where nothing was served yet.
   */
  readonly previous?: EnvironmentSpec | undefined;
  /** What is recorded for `desired.attempt`. */
  readonly jobs: readonly RecordedJob[];
  /**
   * Digest of the table the router should have now, with all desired instances there; undefined while that is not known, since an
   * instance that a route leads to is not there yet.
   */
  readonly routes: Digest | undefined;
  /**
   * What the job runs that sanitises, of which only the relationships matter: what it reaches comes up before it. Undefined: nothing
   * does, and it fails.
   */
  readonly sanitizer?: NodeSpec | undefined;
  /** All data is to be copied while requests wait, where the plan lets all of them wait: nothing that is told to anybody is then lost with it. */
  readonly copiesHeld?: boolean | undefined;
  /** Nodes to leave as they are, whatever is wrong with them: they crash again and again and wait for their next start. */
  readonly resting?: ReadonlySet<NodeName> | undefined;
}

/**
 * How far a job of the attempt came. Besides hooks, the executor records what no observation tells: `provision` and `firewall`, once
 * these are as the desired spec has them.
 */
export interface RecordedJob {
  readonly node: NodeName;
  readonly hook: string;
  readonly state: 'started' | 'succeeded' | 'failed';
}
