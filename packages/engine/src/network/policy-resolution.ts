import { lookup } from 'node:dns/promises';
import { CoppiceError, type EgressRule, type NetworkPolicy } from '@coppice/model';
import type { ResolvedPolicy } from './environment-rules.ts';
import { formatBlock, parseBlock, parseIpv4 } from './ipv4.ts';

/** IPv4 addresses of a domain name; empty where it does not resolve. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

/** Asks the host's resolver. A name that does not resolve now is closed until the policy is applied again. */
export const resolveOnHost: ResolveName = async (name) => {
  try {
    return (await lookup(name, { family: 4, all: true })).map((answer) => answer.address);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
};

/**
 * The policy in addresses. `starting` (address to node) are instances that the caller may not have seen yet: they count as
 * instances of their node, and an address there belongs to no other node. Domain names are resolved here and now, once.
 * `invalid-request` for what is no IPv4 address.
 */
export async function resolvePolicy(
  policy: NetworkPolicy,
  starting: ReadonlyMap<string, string>,
  resolveName: ResolveName,
): Promise<ResolvedPolicy> {
  const wrong = policy.nodes
    .flatMap((node) => [node.address, ...node.instances, ...node.serving])
    .find((address) => parseIpv4(address) === undefined);
  if (wrong !== undefined) throw new CoppiceError('invalid-request', `not an IPv4 address in a network policy: "${wrong}"`);
  const members = new Map<string, readonly string[]>();
  for (const node of policy.nodes) {
    const own = node.instances.filter((address) => (starting.get(address) ?? node.node) === node.node);
    const added = [...starting].filter(([, owner]) => owner === node.node).map(([address]) => address);
    members.set(node.node, [...new Set([...own, ...added])].sort());
  }
  const of = (node: string): readonly string[] => members.get(node) ?? [];
  const stable = (node: string): readonly string[] => policy.nodes.filter((policy) => policy.node === node).map((policy) => policy.address);
  const listed = await Promise.all(
    policy.nodes.flatMap((node) =>
      typeof node.egress === 'string' ? [] : node.egress.map((rule) => resolveRule(rule, of(node.node), resolveName)),
    ),
  );
  return {
    known: [...new Set([...members.values()].flat())].sort(),
    edges: policy.edges.flatMap(({ from, to, port }) => of(from).flatMap((a) => of(to).map((b) => ({ from: a, to: b, port })))),
    calls: policy.edges.flatMap(({ from, to, port }) => of(from).flatMap((a) => stable(to).map((b) => ({ from: a, to: b, port })))),
    open: policy.nodes.filter((node) => node.egress === 'open').flatMap((node) => of(node.node)),
    listed: listed.flat(),
    services: policy.nodes.map((node) => ({ address: node.address, serving: node.serving })),
  };
}

async function resolveRule(
  rule: EgressRule,
  from: readonly string[],
  resolveName: ResolveName,
): Promise<readonly ResolvedPolicy['listed'][number][]> {
  const blocks = await Promise.all(
    rule.hosts.map(async (host) => {
      const block = parseBlock(host);
      return block === undefined ? resolveName(host) : [formatBlock(block)];
    }),
  );
  return blocks.flat().map((to) => ({ from, to, protocol: rule.protocol, ports: rule.ports }));
}
