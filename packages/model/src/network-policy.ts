import type { NodeName } from './identifiers.ts';
import type { EgressRule } from './topology.ts';

/** Who may reach whom within one environment, and where each node's stable address leads. A pure value that is swapped whole. */
export interface NetworkPolicy {
  /** Sorted by node. */
  readonly nodes: readonly NodePolicy[];
  /** Source node, destination node, TCP port at the destination's instances. */
  readonly edges: readonly { readonly from: NodeName; readonly to: NodeName; readonly port: number }[];
}

export interface NodePolicy {
  readonly node: NodeName;
  /** Stable for the node's life in the environment; what `<relationship>.internal` resolves to. */
  readonly address: string;
  /** All live instances (sources of traffic, also jobs), by IPv4. */
  readonly instances: readonly string[];
  /** The ready ones that the stable address leads to. */
  readonly serving: readonly string[];
  readonly egress: 'none' | 'open' | readonly EgressRule[];
}
