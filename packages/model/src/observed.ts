import type { DeploymentId, Digest, NodeName } from './identifiers.ts';
import type { HoldCause } from './route-table.ts';

/** What the engine, the volumes and the router say exists now for one environment. Never a memory of what was done. */
export interface ObservedEnvironment {
  readonly network: boolean;
  /** `foreign`: somebody changed the network's rules since they were put in force. */
  readonly rules?: 'foreign' | undefined;
  /** Whether any instance or job that runs is frozen. */
  readonly frozen?: boolean;
  readonly generations: readonly ObservedGeneration[];
  readonly jobs: readonly ObservedJob[];
  /** Volumes that exist, by node. */
  readonly volumes: readonly { readonly node: NodeName; readonly volume: string }[];
  /** Which data the set of volumes holds, see Desired.dataGeneration; undefined where there is no set. */
  readonly dataGeneration?: number | undefined;
  /** Digest of the router's table for this environment, undefined where it has none. */
  readonly routes: Digest | undefined;
  /** Why requests wait at the router now; undefined where none have to. */
  readonly hold: HoldCause | undefined;
}

/** The instances of one node at one digest. */
export interface ObservedGeneration {
  readonly node: NodeName;
  readonly digest: Digest;
  readonly deployment: DeploymentId;
  readonly instances: readonly ObservedInstance[];
}

/** An instance as far as a listing tells of it. */
export type ListedInstance = Pick<ObservedInstance, 'id' | 'index' | 'state' | 'address'>;

/** The same of a generation. */
export interface ListedGeneration extends Omit<ObservedGeneration, 'instances'> {
  readonly instances: readonly ListedInstance[];
}

/** The same of a job. */
export type ListedJob = Omit<ObservedJob, 'exitCode' | 'outOfMemory'>;

export type InstanceState = 'created' | 'running' | 'exited';

export interface ObservedInstance {
  /** The engine's id of the container. */
  readonly id: string;
  /** 0-based, unique within the generation. */
  readonly index: number;
  readonly state: InstanceState;
  /** IPv4 in the environment's network, undefined unless running. */
  readonly address: string | undefined;
  readonly exitCode: number | undefined;
  readonly outOfMemory: boolean;
  readonly cpu: number;
  readonly memoryBytes: number;
  /** RFC 3339; undefined where it never started. */
  readonly startedAt: string | undefined;
  /** What the last probe said; the engine itself leaves it `unknown`. */
  readonly readiness: 'unknown' | 'ready' | 'unready';
}

/** Which job of which attempt. */
export interface JobKey {
  readonly deployment: DeploymentId;
  readonly node: NodeName;
  readonly hook: string;
}

export interface ObservedJob extends JobKey {
  readonly id: string;
  readonly state: InstanceState;
  /** IPv4 in the environment's network while it runs. */
  readonly address?: string | undefined;
  readonly exitCode: number | undefined;
  readonly outOfMemory: boolean;
}
