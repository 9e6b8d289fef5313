import type { Digest, NodeName, SnapshotId, VolumeMove } from '@coppice/model';

/** The difference between desired and observed, and the way across it. Same inputs give byte-equal plans. */
export interface Plan {
  readonly v: 1;
  /** Over changes and steps. */
  readonly digest: Digest;
  /** One per node, desired or observed, sorted by name; `keep` where nothing happens. */
  readonly changes: readonly Change[];
  /** A DAG in topological order; empty when the world is as desired. */
  readonly steps: readonly Step[];
}

export type ChangeAction = 'create' | 'update' | 'replace' | 'move' | 'remove' | 'keep';
/**
 * `overlap`: new ready, routes switched, old drained. `hold and switch`: requests held, old stopped, new ready, requests released, since a
 * volume is exclusive, or its data becomes another.
 * `in-place`: without a new instance. `start`, `stop`: nothing was or will be there. `none`: keep.
 */
export type Strategy = 'overlap' | 'hold and switch' | 'in-place' | 'start' | 'stop' | 'none';

export interface Change {
  readonly node: NodeName;
  readonly action: ChangeAction;
  readonly strategy: Strategy;
  readonly reasons: readonly Reason[];
}

/** Why, as data; words are made where they are shown (`describeReason`). */
export type Reason =
  | { readonly kind: 'new' }
  | { readonly kind: 'gone' } // not in the release any more
  | { readonly kind: 'field'; readonly field: string; readonly from: string; readonly to: string }
  | { readonly kind: 'image'; readonly what: string; readonly from: string; readonly to: string }
  | { readonly kind: 'drift'; readonly detail: string }
  | { readonly kind: 'instance-missing'; readonly running: number; readonly wanted: number }
  | { readonly kind: 'instance-crashed'; readonly exitCode: number | undefined; readonly outOfMemory: boolean }
  | { readonly kind: 'instance-unready' }
  /** The environment's data becomes another, and the node mounts some of it. */
  | { readonly kind: 'data' }
  /** What was another node's volumes becomes this one's. */
  | { readonly kind: 'moved'; readonly from: string }
  /** Foreign data may only be reached once it is sanitised. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'suspended' }
  | { readonly kind: 'environment-deleted' };

interface StepBase {
  /** Unique in the plan, made of kind, node and digest, e.g. `start web 41c2f0`. */
  readonly id: string;
  /** Ids of the steps that must be done before. */
  readonly after: readonly string[];
}

export type Step = StepBase &
  (
    | { readonly kind: 'create-network' }
    | { readonly kind: 'create-volumes'; readonly node: NodeName }
    | { readonly kind: 'pull-image'; readonly node: NodeName }
    | { readonly kind: 'run-job'; readonly node: NodeName; readonly hook: 'deploy' | 'post_deploy' }
    /** Takes out of foreign data of this generation what must not be seen. The node need not be one of the environment's. */
    | { readonly kind: 'run-job'; readonly node: NodeName; readonly hook: 'sanitize'; readonly generation: number }
    /** Makes a kept copy the environment's data, and keeps what was there. Whoever mounts any of it is gone by then. */
    | {
        readonly kind: 'switch-data';
        readonly generation: number;
        readonly from: SnapshotId;
        readonly keep: boolean;
        readonly aside: SnapshotId;
      }
    /** Copies all data while requests wait at every route, after what stops for its successor and before anything starts. */
    | { readonly kind: 'copy-data' }
    /** Gives nodes' volumes to other nodes, in this order, each only where `from` is there and `to` is not. */
    | { readonly kind: 'move-volumes'; readonly moves: readonly VolumeMove[] }
    /** Creates and starts the missing instances of the generation (all `instances` of the spec). */
    | { readonly kind: 'start'; readonly node: NodeName; readonly digest: Digest }
    /** Runs the node's provisioning, where it has one, in each instance. */
    | { readonly kind: 'provision'; readonly node: NodeName; readonly digest: Digest }
    | { readonly kind: 'await-ready'; readonly node: NodeName; readonly digest: Digest }
    /** Leads the node's stable address to this generation. `firewall`: what it may reach changed as well, which is to be recorded. */
    | { readonly kind: 'switch-address'; readonly node: NodeName; readonly digest: Digest; readonly firewall?: true }
    /** Lets requests at these nodes' routes wait until the next `switch-routes`, once those that are open have ended, within a deadline. */
    | { readonly kind: 'hold-routes'; readonly nodes: readonly NodeName[] }
    /** Swaps the environment's whole route table to the desired generations. */
    | { readonly kind: 'switch-routes' }
    /** Waits until the router has no open request on the generation, within a deadline. */
    | { readonly kind: 'drain'; readonly node: NodeName; readonly digest: Digest }
    | { readonly kind: 'stop'; readonly node: NodeName; readonly digest: Digest }
    /** Removes instances of a kept generation that are surplus or crashed, by id. */
    | { readonly kind: 'remove-instances'; readonly node: NodeName; readonly digest: Digest; readonly instances: readonly string[] }
    | { readonly kind: 'resize'; readonly node: NodeName; readonly digest: Digest }
    | { readonly kind: 'remove-routes' }
    | { readonly kind: 'remove-network' }
    /** `keepAs`: the data is kept under this id; else it is deleted. */
    | { readonly kind: 'remove-volumes'; readonly keepAs?: SnapshotId }
  );

export type StepKind = Step['kind'];

/** The name under which a job is recorded and found again: that of its hook; data is sanitised once per generation, whichever attempt runs it. */
export function jobHook(step: Extract<Step, { readonly kind: 'run-job' }>): string {
  return step.hook === 'sanitize' ? sanitizeHook(step.generation) : step.hook;
}

/** The same for the job that sanitises the data of a generation. */
export function sanitizeHook(generation: number): string {
  return `sanitize-${generation}`;
}
