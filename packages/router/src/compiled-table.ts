import { createHash } from 'node:crypto';
import { canonicalJson, type RouteEntry, type RouteTable, type UpstreamServer } from '@coppice/model';
import { routeRules } from './route-rules.ts';

/** One server as HAProxy knows it. */
export interface SlotServer {
  /** See `serverName`. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Routes that share servers and rules, and so share one slot: a back end of the generic pool. */
export interface RouteGroup {
  /** Equal before and after a swap where the same slot can serve both. */
  readonly key: string;
  /** Lines of configuration that only this slot needs. */
  readonly rules: readonly string[];
  readonly servers: readonly SlotServer[];
}

/** Where a key of the route map leads: to a group by its key, or to one of the shared back ends. */
export type CompiledRoute =
  | { readonly kind: 'group'; readonly match: string; readonly group: string }
  /** `value` is `<back end>/<target>`; the map of targets holds `text` under it. */
  | { readonly kind: 'shared'; readonly match: string; readonly value: string; readonly text: string }
  | { readonly kind: 'hold'; readonly match: string; readonly cause: 'switching' | 'suspended' };

export interface CompiledTable {
  readonly groups: readonly RouteGroup[];
  readonly routes: readonly CompiledRoute[];
}

const noticeTexts = {
  creating: 'This environment is being created. Try again in a moment.',
  unavailable: 'This environment is not available at the moment.',
} as const;

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** What the names of all servers of an instance start with. */
export function serverPrefix(instance: string): string {
  return `s${shortHash(instance)}`;
}

/** A name without characters from outside; another address is another server, since HAProxy keeps connections by server. */
export function serverName(server: UpstreamServer): string {
  return `${serverPrefix(server.id)}_${shortHash(`${server.address} ${server.port}`)}`;
}

/** Turns a checked table into slots and map entries. Pure; `salt` keeps equal passwords of different installations apart. */
export function compileTable(table: RouteTable, salt: string): CompiledTable {
  const groups = new Map<string, RouteGroup>();
  const routes = table.entries.map((entry) => compileEntry(entry, { salt, groups }));
  return { groups: [...groups.values()], routes };
}

function compileEntry(entry: RouteEntry, context: { readonly salt: string; readonly groups: Map<string, RouteGroup> }): CompiledRoute {
  const match = `${entry.host}${entry.path}`;
  const { target } = entry;
  if (target.kind === 'notice') {
    const cleaned = target.text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
    const text = cleaned === '' ? noticeTexts[target.notice] : cleaned.slice(0, 1000);
    return { kind: 'shared', match, value: `notice_${target.notice}/${shortHash(`${match} ${text}`)}`, text };
  }
  if (target.kind === 'redirect' && isPlainRedirect(entry)) {
    const backend = `redirect_${target.to.endsWith('/') ? 'carry' : 'exact'}_${target.code}`;
    return { kind: 'shared', match, value: `${backend}/${shortHash(`${match} ${target.to}`)}`, text: target.to };
  }
  if (target.kind === 'hold') return { kind: 'hold', match, cause: target.cause };
  const rules = routeRules(entry, context.salt);
  const node = target.kind === 'upstream' ? target.node : '';
  const servers = target.kind === 'upstream' ? slotServers(target.servers) : [];
  const group = groupFor({ base: shortHash(canonicalJson({ node, rules })), rules, servers }, context.groups);
  return { kind: 'group', match, group };
}

/** Redirects of whole hosts are common (www), so they are entries of a map, not rules. */
function isPlainRedirect(entry: RouteEntry): boolean {
  const carries = entry.target.kind === 'redirect' && entry.target.to.endsWith('/');
  return Object.keys(entry.headers).length === 0 && entry.access === undefined && (!carries || entry.path === '/');
}

function slotServers(servers: readonly UpstreamServer[]): readonly SlotServer[] {
  const byName = new Map(servers.map((server) => [serverName(server), server]));
  return [...byName].map(([name, { address, port }]) => ({ name, address, port })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One node has one set of servers; where a table says otherwise the sets get slots of their own. */
function groupFor(
  { base, rules, servers }: { base: string; rules: readonly string[]; servers: readonly SlotServer[] },
  groups: Map<string, RouteGroup>,
): string {
  for (let ordinal = 0; ; ordinal += 1) {
    const key = `${base}-${ordinal}`;
    const existing = groups.get(key);
    if (existing && canonicalJson(existing.servers) !== canonicalJson(servers)) continue;
    if (!existing) groups.set(key, { key, rules, servers });
    return key;
  }
}
