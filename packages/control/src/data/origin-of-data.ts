import type { Digest, EnvironmentSpec, NodeSpec, Release } from '@coppice/model';
import type { Store } from '@coppice/state';
import { keepsData } from './touches-data.ts';

/** What a kept copy is a copy of: the release that served the data, and the nodes whose data it holds. */
export interface OriginOfData {
  readonly release: Release;
  readonly spec: EnvironmentSpec;
  readonly specDigest: Digest;
  /** Folders of nodes, each with the node that wrote it. */
  readonly held: ReadonlyMap<string, NodeSpec>;
}

/** By the digest of the spec that served; undefined where no record of it is left. */
export function originOfData(store: Store, specDigest: Digest | undefined): OriginOfData | undefined {
  const spec = specDigest && store.releases.getSpec(specDigest);
  const release = spec && store.releases.get(spec.release);
  if (!release) return undefined;
  return { release, spec, specDigest, held: new Map(spec.nodes.filter(keepsData).map((node) => [node.name, node])) };
}
