import type { EnvironmentSpec, NodeName, RouteEntry, RouteTable, RouteTarget, TopologyRoute, UpstreamServer } from '@coppice/model';

/** Where an environment is found: its host, and the port of the router that people see. */
export interface Addressing {
  readonly host: string;
  /** Part of URLs where it is not 80. */
  readonly port: number;
}

/** The ready instances of a node's serving generation, or what else becomes of requests to it. */
export type ServersOf = (node: NodeName) => readonly UpstreamServer[] | Extract<RouteTarget, { kind: 'hold' | 'notice' }>;

interface PlacedRoute {
  readonly route: TopologyRoute;
  readonly host: string;
  readonly path: string;
  readonly url: string;
}

/** The table the router shall have: one entry per route, every placeholder resolved. Where both schemes name one place, https wins. */
export function routeTable(spec: EnvironmentSpec, addressing: Addressing, serversOf: ServersOf): RouteTable {
  const entries = placeRoutes(spec, addressing).map(({ route, host, path }): RouteEntry => {
    return { host, path, headers: route.headers, access: route.access, target: targetOf(route, addressing, serversOf) };
  });
  return { entries };
}

/** What the router answers while nothing serves yet. */
export function creatingTable(spec: EnvironmentSpec, addressing: Addressing): RouteTable {
  const notice: RouteTarget = { kind: 'notice', notice: 'creating', text: 'This environment is being created. Try again in a moment.' };
  const hosts = new Set([addressing.host, ...placeRoutes(spec, addressing).map((placed) => placed.host)]);
  return { entries: [...hosts].sort().map((host) => ({ host, path: '/', headers: {}, access: undefined, target: notice })) };
}

/** Public URLs, the primary one first. */
export function publicUrls(spec: EnvironmentSpec, addressing: Addressing): readonly string[] {
  const placed = placeRoutes(spec, addressing).filter(({ route }) => route.kind === 'upstream');
  const primary = primaryOf(placed, addressing);
  return [...placed].sort((a, b) => Number(b === primary) - Number(a === primary)).map(({ url }) => url);
}

/** The main URL: the one that says so, else that of the environment's own host, else the first. */
function primaryOf(placed: readonly PlacedRoute[], addressing: Addressing): PlacedRoute | undefined {
  const serving = placed.filter(({ route }) => route.kind === 'upstream');
  return placed.find(({ route }) => route.primary) ?? serving.find(({ host }) => host === addressing.host) ?? serving[0];
}

/** Routes as PLATFORM_ROUTES gives them, by public URL. */
export function describeRoutes(
  spec: EnvironmentSpec,
  addressing: Addressing,
): Readonly<
  Record<
    string,
    {
      readonly url: string;
      readonly upstream: string | undefined;
      readonly primary: boolean;
      readonly type: string;
      readonly original_url: string;
      readonly id: string | null;
    }
  >
> {
  const placed = placeRoutes(spec, addressing);
  const primary = primaryOf(placed, addressing);
  return Object.fromEntries(
    placed.map((each) => {
      const { route, url } = each;
      const upstream = route.kind === 'upstream' ? route.node : undefined;
      return [url, { url, upstream, primary: each === primary, type: route.kind, original_url: route.url, id: route.id ?? null }];
    }),
  );
}

function placeRoutes(spec: EnvironmentSpec, addressing: Addressing): readonly PlacedRoute[] {
  const placed = new Map<string, PlacedRoute>();
  for (const route of [...spec.routes].sort((a, b) => rank(a) - rank(b))) {
    const found = /^(?:http\(s\)|https?):\/\/([^/]*)(\/.*)?$/.exec(route.url);
    const host = substitute(found?.[1] ?? '', addressing).toLowerCase();
    const path = found?.[2] ?? '/';
    const key = `${host}${path}`;
    if (!placed.has(key)) placed.set(key, { route, host, path, url: `http://${host}${portSuffix(addressing)}${path}` });
  }
  return [...placed.values()].sort((a, b) => (a.host === b.host ? compare(a.path, b.path) : compare(a.host, b.host)));
}

/** The lower, the earlier it takes its place. */
function rank(route: TopologyRoute): number {
  return route.url.startsWith('http:') ? 1 : 0;
}

function targetOf(route: TopologyRoute, addressing: Addressing, serversOf: ServersOf): RouteTarget {
  if (route.kind === 'upstream') {
    const servers = serversOf(route.node);
    return 'kind' in servers ? servers : { kind: 'upstream', node: route.node, servers, redirects: route.redirects };
  }
  const to = route.to.replace(/^(?:http\(s\)|https?):\/\/([^/]*)/, (whole, host: string) =>
    host.includes('{') ? `http://${substitute(host, addressing)}${portSuffix(addressing)}` : whole.replace('http(s)', 'https'),
  );
  return { kind: 'redirect', to, code: route.code };
}

function substitute(host: string, addressing: Addressing): string {
  return host.replaceAll('{default}', addressing.host).replaceAll('{all}', addressing.host);
}

function portSuffix(addressing: Addressing): string {
  return addressing.port === 80 ? '' : `:${addressing.port}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
