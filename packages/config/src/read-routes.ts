import type { PathRedirect, TopologyNode, TopologyRoute } from '@coppice/model';
import { type Cursor, child, entries, keyAt, valueAt } from './cursor.ts';
import type { DeclaredNode } from './declared-nodes.ts';
import { nearestName } from './nearest-name.ts';
import { listed, quote } from './quote.ts';
import type { RawPathRedirect, RawRoute } from './raw-file.ts';
import { readRouteAccess } from './read-route-access.ts';
import { readHeaders } from './read-web.ts';
import type { Reading } from './reading.ts';
import { parseRouteUrl, type RouteUrl } from './route-url.ts';

interface ReadRoute {
  readonly route: TopologyRoute;
  readonly parsed: RouteUrl;
  readonly cursor: Cursor<RawRoute>;
}

/** Routes sorted by URL. Two that answer for one host and path are an error; a redirect from http to the same https is left out. */
export function readRoutes(cursor: Cursor<Readonly<Record<string, RawRoute>>>, reading: Reading): readonly TopologyRoute[] {
  const routes = entries(cursor).flatMap((entry) => readRoute(entry, reading) ?? []);
  const answering = new Map<string, ReadRoute>();
  for (const each of routes) {
    if (isUpgrade(each.parsed, each.route)) {
      reading.report.inactive(keyAt(each.cursor), `the redirect of ${each.parsed.url} to https is not made yet`);
      continue;
    }
    // {all} stands for {default} too.
    const place = `${each.parsed.host.replace('{all}', '{default}')}${each.parsed.path}`;
    const earlier = answering.get(place);
    if (earlier === undefined) answering.set(place, each);
    else duplicate(each, earlier, reading);
  }
  const kept = [...answering.values()];
  checkUnique(kept, reading);
  return kept.map((each) => each.route).sort((a, b) => (a.url < b.url ? -1 : 1));
}

/** The route of a file that names none: to its only web application. */
export function defaultRoutes(nodes: readonly TopologyNode[], at: Cursor<unknown>, reading: Reading): readonly TopologyRoute[] {
  const serving = nodes.filter((node) => node.kind === 'application' && node.web.enabled);
  const [only] = serving;
  if (only === undefined) return [];
  if (serving.length > 1) {
    const names = serving.map((node) => node.name);
    const hint = `write routes: { "http(s)://{default}/": { type: upstream, upstream: "${only.name}:http" } }`;
    const message = `there are several applications (${names.slice(0, 12).join(', ')}) and no routes that say which answers`;
    reading.report.error({ code: 'missing-routes', at: keyAt(at), message, hint });
    return [];
  }
  const url = 'http(s)://{default}/';
  return [{ url, id: undefined, primary: false, headers: {}, access: undefined, kind: 'upstream', node: only.name, redirects: [] }];
}

/** `http://X/` that redirects to `https://X/`, as files for Upsun have it. */
function isUpgrade(parsed: RouteUrl, route: TopologyRoute): boolean {
  if (parsed.scheme !== 'http' || route.kind !== 'redirect') return false;
  const target = parseRouteUrl(route.to);
  return 'url' in target && target.url === parsed.url.replace('http:', 'https:');
}

function duplicate(route: ReadRoute, earlier: ReadRoute, reading: Reading): void {
  const where = `${quote(earlier.cursor.name)} in line ${keyAt(earlier.cursor).line}`;
  const bySchemes =
    route.parsed.scheme !== earlier.parsed.scheme ? ' http and https are answered alike: write http(s)://' : ' remove one of them';
  reading.report.error({
    code: 'duplicate-route',
    at: keyAt(route.cursor),
    message: `routes: ${quote(route.cursor.name)} answers for the same host and path as ${where}`,
    hint: bySchemes.trim(),
  });
}

function checkUnique(routes: readonly ReadRoute[], reading: Reading): void {
  const ids = new Set<string>();
  let hasPrimary = false;
  for (const { route, cursor } of routes) {
    if (route.id !== undefined && ids.has(route.id)) {
      const at = child(cursor, 'id')?.place.value ?? keyAt(cursor);
      reading.report.error({ code: 'declared-twice', at, message: `id: two routes are named ${quote(route.id)}` });
    }
    if (route.id !== undefined) ids.add(route.id);
    if (route.primary && hasPrimary) {
      const at = child(cursor, 'primary')?.place.value ?? keyAt(cursor);
      reading.report.error({ code: 'invalid-route', at, message: 'primary: a second route is primary', hint: 'one may be' });
    }
    hasPrimary ||= route.primary;
  }
}

function readRoute(entry: Cursor<RawRoute>, reading: Reading): ReadRoute | undefined {
  const { report } = reading;
  const parsed = parseRouteUrl(entry.name);
  if ('problem' in parsed) {
    report.error({
      code: 'invalid-route',
      at: keyAt(entry),
      message: `routes: ${quote(entry.name)} cannot be routed`,
      hint: parsed.problem,
    });
    return undefined;
  }
  const base = {
    url: parsed.url,
    id: entry.value.id ?? undefined,
    primary: entry.value.primary ?? false,
    headers: readHeaders(child(entry, 'headers')),
    access: readRouteAccess(child(entry, 'access'), report),
  };
  const redirects = readPathRedirects(entry, reading);
  if (entry.value.type === 'redirect') {
    const to = child(entry, 'to');
    if (to === undefined) return undefined;
    checkTarget(to, reading);
    return { route: { ...base, kind: 'redirect', to: to.value, code: entry.value.code ?? 301 }, parsed, cursor: entry };
  }
  const node = readUpstream(child(entry, 'upstream'), reading);
  return node && { route: { ...base, kind: 'upstream', node: node.name, redirects }, parsed, cursor: entry };
}

function readUpstream(upstream: Cursor<string> | undefined, reading: Reading): DeclaredNode | undefined {
  if (upstream === undefined) return undefined;
  const [name = '', endpoint = 'http'] = upstream.value.split(':');
  const at = valueAt(upstream);
  const node = reading.nodes.get(name);
  const fail = (message: string, hint?: string | (() => string)) => {
    reading.report.error({ code: 'invalid-route', at, message: `upstream: ${message}`, hint });
    return undefined;
  };
  const serving = () =>
    [...reading.nodes.values()].filter((each) => each.kind === 'application' && each.servesHttp).map((each) => each.name);
  if (node === undefined) {
    return fail(`no application is named ${quote(name)}`, () => {
      const near = nearestName(name, serving());
      return near === undefined ? `there is ${listed(serving())}` : `did you mean "${near}"?`;
    });
  }
  if (node.kind === 'worker') return fail(`${name} is a worker and serves no requests`);
  if (!node.servesHttp) return fail(`${name} does not serve http`, () => `there is ${listed(serving())}`);
  if (endpoint !== 'http') return fail(`requests go to the endpoint http, not ${quote(endpoint)}`, `write "${name}:http"`);
  return node;
}

function readPathRedirects(route: Cursor<RawRoute>, reading: Reading): readonly PathRedirect[] {
  const redirects = child(route, 'redirects');
  const paths = entries(redirects && child(redirects, 'paths')).flatMap((entry) => readPathRedirect(entry, reading) ?? []);
  return paths.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function readPathRedirect(entry: Cursor<RawPathRedirect>, reading: Reading): PathRedirect | undefined {
  const { to, code, prefix, regexp } = entry.value;
  if (regexp) {
    reading.report.inactive(keyAt(entry), `the redirect of ${quote(entry.name)} by a regular expression is not made yet`);
    return undefined;
  }
  if (!entry.name.startsWith('/')) {
    const message = `paths: ${quote(entry.name)} is no path`;
    reading.report.error({ code: 'invalid-route', at: keyAt(entry), message, hint: 'a path starts with /' });
  }
  const target = child(entry, 'to');
  if (target !== undefined) checkTarget(target, reading);
  return { path: entry.name, to, code: code ?? 302, prefix: prefix ?? true };
}

/** A target with a scheme must name a host that could be asked. */
function checkTarget(to: Cursor<string>, reading: Reading): void {
  if (to.value.startsWith('/')) return;
  const host = /^[^:]+:\/\/([^/?#]+)/.exec(to.value)?.[1] ?? '';
  const parsed = parseRouteUrl(`http://${host.replace(/:[0-9]{1,5}$/, '')}/`);
  if ('problem' in parsed) {
    const message = `to: ${quote(to.value)} leads nowhere`;
    reading.report.error({ code: 'invalid-route', at: valueAt(to), message, hint: parsed.problem });
  }
}
