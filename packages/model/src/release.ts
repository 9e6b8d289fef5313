import { type Digest, digestOf } from './identifiers.ts';
import type { NodeSpec } from './node-spec.ts';
import type { BackupRule, DataPolicy, EnvironmentRule, TopologyRoute } from './topology.ts';

/** The topology with every node pinned. Branch-neutral; equal trees have equal releases. Nodes are sorted by name. */
export interface Release {
  readonly v: 1;
  readonly nodes: readonly NodeSpec[];
  readonly routes: readonly TopologyRoute[];
  readonly environments: readonly EnvironmentRule[];
  readonly data: DataPolicy;
  readonly backups: readonly BackupRule[];
}

/** SHA-256 of the release's canonical JSON. */
export function releaseDigest(release: Release): Digest {
  return digestOf(release);
}
