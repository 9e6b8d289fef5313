import { type DeploymentId, type Digest, digestOf } from './identifiers.ts';
import type { NodeSpec } from './node-spec.ts';
import type { TopologyRoute } from './topology.ts';

/** What one environment shall run: a release after the branch's overlay. */
export interface EnvironmentSpec {
  readonly v: 1;
  readonly release: Digest;
  /** Sorted by name, sizes, instances and variables of the branch's rule applied. */
  readonly nodes: readonly NodeSpec[];
  readonly routes: readonly TopologyRoute[];
  /** Without a request for so long it sleeps; undefined: never by itself. */
  readonly suspendAfterMs?: number;
}

/** SHA-256 of the spec's canonical JSON. */
export function environmentSpecDigest(spec: EnvironmentSpec): Digest {
  return digestOf(spec);
}

/** What shall be. Everything that happens only writes a new one; the loop does the rest. */
export interface Desired {
  readonly exists: boolean;
  readonly run: 'up' | 'suspended';
  readonly spec: EnvironmentSpec | undefined;
  /** Raised by whatever replaces the data: a clone, a restore. */
  readonly dataGeneration: number;
  /** The deployment that asked for this, which names its Jobs. */
  readonly attempt: DeploymentId | undefined;
}
