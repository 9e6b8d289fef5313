import type { Digest, NodeName, NodeSpec, ObservedGeneration } from '@coppice/model';
import type { Change } from './plan-value.ts';

/** What is to be done about one node: the decision, before it is turned into steps. */
export interface NodeWork {
  readonly node: NodeName;
  readonly change: Change;
  /** Undefined: the node is gone, or all of the environment stops. */
  readonly target: { readonly spec: NodeSpec; readonly digest: Digest } | undefined;
  /** Volumes are missing, or may be once the data is another. */
  readonly volumes: boolean;
  /** It mounts kept volumes: whatever happens to the data comes before it. */
  readonly mounts: boolean;
  /** Instances are missing. */
  readonly start: boolean;
  readonly provision: boolean;
  readonly awaitReady: boolean;
  /** `ready`: as soon as the node is; `release`: together with all others, once all are ready. */
  readonly address: 'none' | 'ready' | 'release';
  /** What it may reach changed, and nothing else tells whether that was done. */
  readonly firewall: boolean;
  readonly resize: boolean;
  readonly deployJob: boolean;
  readonly postDeployJob: boolean;
  /** Ids of instances to remove: before the start, or once the release serves. */
  readonly remove: { readonly ids: readonly string[]; readonly at: 'start' | 'end' };
  /** Generations to stop before the start, since a volume is exclusive or may be, or what they hold becomes another. */
  readonly stopFirst: readonly ObservedGeneration[];
  /** Generations to stop once the release serves. */
  readonly stopLast: readonly ObservedGeneration[];
}

/** Nothing to do for the node. */
export function idleWork(node: NodeName): NodeWork {
  return {
    node,
    change: { node, action: 'keep', strategy: 'none', reasons: [] },
    target: undefined,
    volumes: false,
    mounts: false,
    start: false,
    provision: false,
    awaitReady: false,
    address: 'none',
    firewall: false,
    resize: false,
    deployJob: false,
    postDeployJob: false,
    remove: { ids: [], at: 'end' },
    stopFirst: [],
    stopLast: [],
  };
}
