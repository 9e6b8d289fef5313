import { coppiceRange } from './address-plan.ts';
import type { HostNetwork } from './host-network.ts';

/**
 * The rules of one server, as text for `nft -f`: one table with its own base chains before Docker's, and per bridge two chains
 * and four sets. Only what these chains refuse is decided here; what they accept Docker's own rules still have to accept.
 */
export interface RuleTarget {
  readonly table: string;
  readonly bridge: string;
}

/** A policy resolved to addresses. All addresses are IPv4. */
export interface ResolvedPolicy {
  /** Who may send at all. */
  readonly known: readonly string[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly port: number }[];
  /** The same towards stable addresses. */
  readonly calls: readonly { readonly from: string; readonly to: string; readonly port: number }[];
  /** Who may reach everything outside. */
  readonly open: readonly string[];
  /** Who may reach only these. */
  readonly listed: readonly {
    readonly from: readonly string[];
    readonly to: string;
    readonly protocol: 'tcp' | 'udp';
    readonly ports: readonly number[];
  }[];
  /** Where stable addresses lead. */
  readonly services: readonly { readonly address: string; readonly serving: readonly string[] }[];
}

/** Everything that is not bound to a bridge. Idempotent; leaves the bridges' own chains and sets as they are. */
export function tableRules(table: string, host: Pick<HostNetwork, 'uplinks' | 'resolvers'>): string {
  const t = `inet ${table}`;
  return [
    `add table ${t}`,
    `add set ${t} bridges { type ifname; }`,
    `add set ${t} uplinks { type ifname; }`,
    `add set ${t} resolvers { type ipv4_addr; }`,
    `add map ${t} senders { type ifname : verdict; }`,
    `add map ${t} services { type ifname : verdict; }`,
    `add chain ${t} refuse`,
    `add chain ${t} names`,
    `add chain ${t} guarded`,
    `add chain ${t} to_host`,
    `add chain ${t} forward { type filter hook forward priority filter - 10; policy accept; }`,
    `add chain ${t} input { type filter hook input priority filter - 10; policy accept; }`,
    `add chain ${t} output { type filter hook output priority filter - 10; policy accept; }`,
    `add chain ${t} prerouting { type nat hook prerouting priority dstnat - 10; policy accept; }`,
    ...['refuse', 'names', 'guarded', 'to_host', 'forward', 'input', 'output', 'prerouting'].map((chain) => `flush chain ${t} ${chain}`),
    ...setElements(`${t} uplinks`, host.uplinks.map(quote)),
    ...setElements(`${t} resolvers`, host.resolvers),
    `add rule ${t} refuse meta l4proto tcp reject with tcp reset`,
    `add rule ${t} refuse reject with icmpx type admin-prohibited`,
    `add rule ${t} names oifname @uplinks ip daddr @resolvers udp dport 53 accept`,
    `add rule ${t} names oifname @uplinks ip daddr @resolvers tcp dport 53 accept`,
    // Nothing but a resolver may be reached here, whatever a list of the user says: cloud metadata, other environments, multicast.
    `add rule ${t} guarded ip daddr { 0.0.0.0/8, ${coppiceRange}, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3 } goto refuse`,
    `add rule ${t} guarded oifname != @uplinks goto refuse`,
    `add rule ${t} to_host ct direction reply ct state established,related accept`,
    `add rule ${t} to_host goto refuse`,
    `add rule ${t} forward iifname vmap @senders`,
    `add rule ${t} forward oifname @bridges ct direction reply ct state established accept`,
    `add rule ${t} forward oifname @bridges ct state related accept`,
    `add rule ${t} forward oifname @bridges drop`,
    `add rule ${t} input iifname @bridges goto to_host`,
    `add rule ${t} output oifname @bridges icmp type redirect drop`,
    `add rule ${t} prerouting iifname vmap @services`,
  ].join('\n');
}

/** Closes a bridge: its chains and sets exist, and what its sets hold stays. Idempotent. */
export function bridgeRules({ table, bridge }: RuleTarget): string {
  const t = `inet ${table}`;
  return [
    `add set ${t} known_${bridge} { type ipv4_addr; }`,
    `add set ${t} open_${bridge} { type ipv4_addr; }`,
    `add set ${t} edges_${bridge} { type ipv4_addr . ipv4_addr . inet_service; }`,
    `add set ${t} calls_${bridge} { type ipv4_addr . ipv4_addr . inet_service; }`,
    `add chain ${t} listed_${bridge}`,
    `add chain ${t} services_${bridge}`,
    `add chain ${t} from_${bridge}`,
    `flush chain ${t} from_${bridge}`,
    `add rule ${t} from_${bridge} ct direction reply ct state established accept`,
    `add rule ${t} from_${bridge} ct state related accept`,
    `add rule ${t} from_${bridge} meta nfproto ipv6 drop`,
    // Not refused but dropped: a sender whose rules come a moment later tries again instead of failing.
    `add rule ${t} from_${bridge} ip saddr != @known_${bridge} drop`,
    `add rule ${t} from_${bridge} ip saddr . ip daddr . tcp dport @edges_${bridge} accept`,
    `add rule ${t} from_${bridge} jump listed_${bridge}`,
    `add rule ${t} from_${bridge} ip saddr != @open_${bridge} goto refuse`,
    `add rule ${t} from_${bridge} jump names`,
    `add rule ${t} from_${bridge} jump guarded`,
    `add rule ${t} from_${bridge} accept`,
    `add element ${t} bridges { ${quote(bridge)} }`,
    `add element ${t} senders { ${quote(bridge)} : goto from_${bridge} }`,
    `add element ${t} services { ${quote(bridge)} : goto services_${bridge} }`,
  ].join('\n');
}

/** Swaps all that a bridge's senders may do. Needs `bridgeRules` in the same or an earlier transaction. */
export function policyRules({ table, bridge }: RuleTarget, policy: ResolvedPolicy): string {
  const t = `inet ${table}`;
  const listeners = [...new Set(policy.listed.flatMap((rule) => rule.from))];
  return [
    ...setElements(`${t} known_${bridge}`, policy.known),
    ...setElements(`${t} open_${bridge}`, policy.open),
    ...setElements(
      `${t} edges_${bridge}`,
      policy.edges.map((edge) => `${edge.from} . ${edge.to} . ${edge.port}`),
    ),
    ...setElements(
      `${t} calls_${bridge}`,
      policy.calls.map((edge) => `${edge.from} . ${edge.to} . ${edge.port}`),
    ),
    `flush chain ${t} listed_${bridge}`,
    ...(listeners.length === 0 ? [] : [`add rule ${t} listed_${bridge} ip saddr != { ${listeners.join(', ')} } return`]),
    ...(listeners.length === 0 ? [] : [`add rule ${t} listed_${bridge} jump names`, `add rule ${t} listed_${bridge} jump guarded`]),
    ...policy.listed
      .filter((rule) => rule.from.length > 0 && rule.ports.length > 0)
      .map(
        (rule) =>
          `add rule ${t} listed_${bridge} ip saddr { ${rule.from.join(', ')} } ip daddr ${rule.to} ` +
          `${rule.protocol} dport { ${[...new Set(rule.ports)].join(', ')} } accept`,
      ),
    `flush chain ${t} services_${bridge}`,
    // Who may not call is not led on: a refusal after the address was rewritten would come from an address that nobody asked.
    `add rule ${t} services_${bridge} ip saddr . ip daddr . tcp dport != @calls_${bridge} return`,
    ...policy.services
      .filter((service) => service.serving.length > 0)
      .map(
        (service) => `add rule ${t} services_${bridge} ip daddr ${service.address} meta l4proto tcp dnat ip to ${target(service.serving)}`,
      ),
  ].join('\n');
}

function target(serving: readonly string[]): string {
  if (serving.length === 1) return serving.join('');
  return `numgen random mod ${serving.length} map { ${serving.map((address, index) => `${index} : ${address}`).join(', ')} }`;
}

/** Removes what a bridge has, whether or not it has any. */
export function withoutBridge(target: RuleTarget): string {
  const t = `inet ${target.table}`;
  const { bridge } = target;
  return [
    bridgeRules(target),
    `delete element ${t} bridges { ${quote(bridge)} }`,
    `delete element ${t} senders { ${quote(bridge)} }`,
    `delete element ${t} services { ${quote(bridge)} }`,
    ...['from', 'listed', 'services'].map((chain) => `flush chain ${t} ${chain}_${bridge}`),
    ...['from', 'listed', 'services'].map((chain) => `delete chain ${t} ${chain}_${bridge}`),
    ...['known', 'open', 'edges', 'calls'].map((set) => `delete set ${t} ${set}_${bridge}`),
  ].join('\n');
}

/** Removes everything of the server, whether or not there is any. */
export function withoutTable(table: string): string {
  return `add table inet ${table}\ndelete table inet ${table}`;
}

function setElements(set: string, elements: readonly string[]): readonly string[] {
  const unique = [...new Set(elements)];
  return [`flush set ${set}`, ...(unique.length === 0 ? [] : [`add element ${set} { ${unique.join(', ')} }`])];
}

function quote(name: string): string {
  return `"${name}"`;
}
