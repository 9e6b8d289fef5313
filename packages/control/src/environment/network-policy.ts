import {
  type Digest,
  type EnvironmentSpec,
  type ListedGeneration,
  type NetworkPolicy,
  type NodeName,
  type NodePolicy,
  type NodeSpec,
  nodeDigest,
} from '@coppice/model';

/** What is there now and what shall be reached. `serving`: the digest each node's stable address leads to. */
export interface PolicyInput {
  /** Desired nodes, and those that are still there from before. */
  readonly nodes: readonly NodeSpec[];
  readonly generations: readonly ListedGeneration[];
  readonly serving: ReadonlyMap<NodeName, Digest>;
  /** IPv4 of running jobs by node. */
  readonly jobs: ReadonlyMap<NodeName, readonly string[]>;
  readonly addressOf: (node: NodeName) => string;
}

/** Who may reach whom: an edge per relationship, and the ready instances behind each stable address. */
export function networkPolicy(input: PolicyInput): NetworkPolicy {
  const names = new Map(input.nodes.map((node) => [node.name, node]));
  const edges = new Map<string, NetworkPolicy['edges'][number]>();
  for (const node of input.nodes) {
    for (const { node: to, port } of node.relationships) {
      if (names.has(to)) edges.set(`${node.name} ${to} ${port}`, { from: node.name, to, port });
    }
  }
  return {
    nodes: [...names.values()].map((node) => nodePolicy(node, input)).sort((a, b) => compare(a.node, b.node)),
    edges: [...edges.values()].sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to) || a.port - b.port),
  };
}

function nodePolicy(node: NodeSpec, input: PolicyInput): NodePolicy {
  const own = input.generations.filter((generation) => generation.node === node.name);
  const serving = input.serving.get(node.name);
  return {
    node: node.name,
    address: input.addressOf(node.name),
    instances: [...own.flatMap(addresses), ...(input.jobs.get(node.name) ?? [])].sort(),
    serving: own
      .filter((generation) => generation.digest === serving)
      .flatMap(addresses)
      .sort(),
    egress: node.egress,
  };
}

function addresses(generation: ListedGeneration): string[] {
  return generation.instances.flatMap((instance) =>
    instance.state === 'running' && instance.address !== undefined ? [instance.address] : [],
  );
}

/** The digest each desired node would serve with. */
export function servingDigests(spec: EnvironmentSpec): ReadonlyMap<NodeName, Digest> {
  return new Map(spec.nodes.map((node) => [node.name, nodeDigest(node)]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
