import type { Digest, EnvironmentSpec, NodeSpec, TopologyRoute } from '@coppice/model';

/** A spec as people compare it with another: what runs, with which versions, images, sizes, routes, and hashes in place of what may be secret. */
export interface ComparedSpec {
  readonly nodes: readonly ComparedNode[];
  readonly routes: readonly TopologyRoute[];
  readonly suspendAfterMs: number | undefined;
}

export interface ComparedNode extends Omit<NodeSpec, 'image' | 'trace'> {
  /** Digest of the manifest. */
  readonly image: Digest;
  readonly type: string;
  readonly version: string;
  readonly sourceTree: string | undefined;
  readonly buildKey: Digest | undefined;
}

/**
 * The values of variables and the passwords of routes are given as `keyedHash` of them together with their name: equal ones of equal name
 * are equal, and nothing else can be told from them. The release's own digest is left out: what differs in it is told by itself.
 */
export function comparedSpec(spec: EnvironmentSpec, keyedHash: (text: string) => string): ComparedSpec {
  const hashed = (kind: string, values: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, keyedHash(JSON.stringify([kind, name, value]))]));
  return {
    nodes: spec.nodes.map(({ image, trace, ...node }) => ({
      ...node,
      image: image.manifest,
      type: trace.type,
      version: trace.version,
      sourceTree: trace.sourceTree,
      buildKey: trace.buildKey,
      variables: hashed('variable', node.variables),
    })),
    routes: spec.routes.map((route) =>
      route.access ? { ...route, access: { ...route.access, basicAuth: hashed('password', route.access.basicAuth) } } : route,
    ),
    suspendAfterMs: spec.suspendAfterMs,
  };
}
