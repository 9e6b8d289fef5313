import type { EnvironmentSpec } from './environment-spec.ts';
import { type DeploymentId, type Digest, type NodeName, sha256 } from './identifiers.ts';
import { type NodeSpec, nodeDigest, type RelationshipSpec } from './node-spec.ts';
import type { ObservedEnvironment, ObservedGeneration, ObservedInstance } from './observed.ts';
import type { TopologyRoute } from './topology.ts';

/** For tests and benchmarks of any package: values with defaults, so that a test states only what it is about. */

/** The text as a node's name, unchecked. */
export function nodeName(text: string): NodeName {
  return text as NodeName;
}

/** The text as a deployment's id, unchecked. */
export function deploymentId(text: string): DeploymentId {
  return text as DeploymentId;
}

/** An application that listens on 8080, without mounts or relationships; its image is named by `code`. */
export function buildNode(name: string, overrides: Partial<NodeSpec> & { readonly code?: string } = {}): NodeSpec {
  const { code = 'code-1', ...fields } = overrides;
  return {
    name: nodeName(name),
    kind: 'application',
    image: { manifest: sha256(`manifest ${code}`), config: sha256(`config ${code}`) },
    argv: ['node', 'server.js'],
    user: '1000:1000',
    workingDirectory: '/app',
    variables: {},
    capabilities: [],
    ports: { http: 8080 },
    relationships: [],
    mounts: [],
    tmpfs: ['/tmp'],
    egress: 'open',
    provision: undefined,
    resources: { cpu: 0.5, memoryBytes: 256 * 1024 * 1024, diskBytes: 0 },
    instances: 1,
    readiness: { probe: { kind: 'tcp', port: 8080 }, everyMs: 20, withinMs: 60_000, intervalMs: 10_000, timeoutMs: 2_000 },
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    hooks: { deploy: undefined, postDeploy: undefined, postStart: undefined },
    quiesce: undefined,
    movedFrom: undefined,
    trace: { type: 'nodejs:24', version: '24.1.0', sourceTree: sha256(code).slice(7, 47), buildKey: sha256(`key ${code}`) },
    ...fields,
  };
}

/** A relationship named like the node it reaches. */
export function relatedTo(name: string, overrides: Partial<RelationshipSpec> = {}): RelationshipSpec {
  return {
    name,
    node: nodeName(name),
    endpoint: 'http',
    scheme: 'http',
    port: 8080,
    path: '',
    credentials: false,
    privileges: {},
    extra: {},
    ...overrides,
  };
}

/** A kept mount; exclusive where it says so. */
export function mountAt(target: string, sharing: 'shared' | 'exclusive' = 'shared'): NodeSpec['mounts'][number] {
  const exclusive = sharing === 'exclusive';
  return { target, source: exclusive ? 'instance' : 'storage', volume: target.slice(1).replaceAll('/', '-'), exclusive };
}

/** A route of the environment's own host to a node. */
export function routeTo(node: string, url = 'http://{default}/'): TopologyRoute {
  return { url, id: undefined, primary: true, headers: {}, access: undefined, kind: 'upstream', node: nodeName(node), redirects: [] };
}

/** A spec of these nodes, sorted by name. */
export function buildSpec(nodes: readonly NodeSpec[], routes: readonly TopologyRoute[] = []): EnvironmentSpec {
  const sorted = [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { v: 1, release: sha256('release'), nodes: sorted, routes };
}

/** A running, ready instance with the node's resources. */
export function observedInstance(node: NodeSpec, index: number, overrides: Partial<ObservedInstance> = {}): ObservedInstance {
  return {
    id: `${node.name}-${index}-${nodeDigest(node).slice(7, 13)}`,
    index,
    state: 'running',
    address: `10.0.0.${(index % 250) + 1}`,
    exitCode: undefined,
    outOfMemory: false,
    cpu: node.resources.cpu,
    memoryBytes: node.resources.memoryBytes,
    startedAt: '2026-01-01T00:00:00Z',
    readiness: 'ready',
    ...overrides,
  };
}

/** All instances of a node, as they should be. */
export function observedGeneration(node: NodeSpec, overrides: Partial<ObservedGeneration> = {}): ObservedGeneration {
  const instances = Array.from({ length: node.instances }, (_, index) => observedInstance(node, index));
  return { node: node.name, digest: nodeDigest(node), deployment: deploymentId('d_before'), instances, ...overrides };
}

/** The world in which a spec runs as it should. `routes` defaults to some table. */
export function observedWorld(
  spec: EnvironmentSpec | undefined,
  overrides: Partial<ObservedEnvironment> & { readonly routes?: Digest | undefined } = {},
): ObservedEnvironment {
  const nodes = spec?.nodes ?? [];
  return {
    network: spec !== undefined,
    generations: nodes.map((node) => observedGeneration(node)),
    jobs: [],
    volumes: nodes.flatMap((node) =>
      node.mounts.filter((mount) => mount.source !== 'tmp').map((mount) => ({ node: mount.node ?? node.name, volume: mount.volume })),
    ),
    routes: spec === undefined ? undefined : sha256('routes'),
    hold: undefined,
    ...overrides,
  };
}
