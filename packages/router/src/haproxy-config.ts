import { digestOf } from '@coppice/model';
import type { SlotServer } from './compiled-table.ts';
import { quoted } from './haproxy-quote.ts';
import { type HoldScript, holdAction, holdScriptFile } from './hold-script.ts';
import { type AssignedTable, type SlotLayout, slotName } from './slot-assignment.ts';
import { unknownPage } from './unknown-page.ts';

/** What an installation decides. Paths in the configuration are relative to the router's folder, its working directory. */
export interface HaproxySettings {
  /** `host:port`, checked. */
  readonly listen: string;
  /** Checked; only shown on the page for unknown hosts. */
  readonly domain: string;
  readonly maxConnections: number;
  readonly threads: number;
  readonly hold: HoldScript;
}

export const routesMap = 'maps/routes.map';
export const targetsMap = 'maps/targets.map';
export const digestsMap = 'maps/digests.map';
/** Kept by hold.lua: how many requests wait, by environment. */
export const heldMap = 'maps/held.map';
/** Key in the map of digests under which a worker tells which configuration it runs. */
export const configurationKey = 'configuration';

/** The run-time socket of the worker that a layout starts, relative to the router's folder. */
export function workerSocket(layout: Pick<SlotLayout, 'generation'>): string {
  return `run/worker-${layout.generation}.sock`;
}

/**
 * What a server needs besides its address. Dynamic servers take nothing from `defaults`, and without `pool-max-conn` keep no connection
 * at all, which costs four times the system time. Idle connections leave before applications close them.
 */
export const serverOptions = 'pool-max-conn -1 pool-purge-delay 2s';

/** Tells apart configurations that differ in more than servers and maps, which change at run time. */
export function configurationDigest(settings: HaproxySettings, layout: SlotLayout): string {
  return digestOf([head(settings, layout), settings.hold.source, layout.slots, layout.rules]);
}

/** The whole configuration: shared part, then one back end per slot with the servers it has now. */
export function renderConfiguration(settings: HaproxySettings, layout: SlotLayout, tables: Iterable<AssignedTable>): string {
  const servers = new Map<number, readonly SlotServer[]>();
  for (const table of tables) for (const group of table.groups) servers.set(group.slot, group.servers);
  const lines = [head(settings, layout)];
  for (let slot = 0; slot < layout.slots; slot += 1) {
    lines.push(`backend ${slotName(slot)}`);
    for (const rule of layout.rules[slot] ?? []) lines.push(`  ${rule}`);
    for (const server of servers.get(slot) ?? []) lines.push(`  server ${server.name} ${serverAddress(server)} ${serverOptions}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `address:port` as HAProxy reads it; IPv6 is marked, since it also has colons. */
export function serverAddress({ address, port }: SlotServer): string {
  return address.includes(':') ? `ipv6@${address}:${port}` : `${address}:${port}`;
}

function head(settings: HaproxySettings, layout: SlotLayout): string {
  return [globalSection(settings, layout), defaultsSection(), frontendSection(settings), sharedBackends(settings)].join('\n');
}

function globalSection(settings: HaproxySettings, layout: SlotLayout): string {
  return `global
  maxconn ${settings.maxConnections}
  nbthread ${settings.threads}
  noreuseport
  hard-stop-after 24h
  tune.bufsize 18432
  tune.maxrewrite 2048
  lua-load ${holdScriptFile}
  # Counted anew for each resumption, from the start of the turn in which it comes: many that wait would make it expire.
  tune.lua.session-timeout 24h
  # Nothing else may run while the script goes through its tables, which it does once a second.
  tune.lua.forced-yield 10000000
  stats socket unix@${workerSocket(layout)} mode 600 level admin expose-fd listeners
  stats timeout 30s`;
}

function defaultsSection(): string {
  const retry = 'hdr Retry-After 2 hdr Cache-Control no-store';
  const plain = 'content-type "text/plain; charset=utf-8" string';
  return `defaults
  mode http
  balance leastconn
  http-reuse safe
  option redispatch 1
  option abortonclose
  option idle-close-on-response
  retries 3
  retry-on conn-failure empty-response
  timeout connect 4s
  timeout queue 10s
  timeout http-request 10s
  timeout http-keep-alive 60s
  timeout client 300s
  timeout server 300s
  timeout tunnel 24h
  timeout client-fin 30s
  timeout server-fin 30s
  http-error status 400 ${plain} "The request was not understood.\\n"
  http-error status 408 ${plain} "The request took too long to arrive.\\n"
  http-error status 502 ${plain} "The application did not give a valid answer.\\n" hdr Cache-Control no-store
  http-error status 503 ${plain} "No instance of the application answers at the moment. Try again in a few seconds.\\n" ${retry}
  http-error status 504 ${plain} "The application did not answer in time.\\n" hdr Cache-Control no-store`;
}

/** Headers of requests that say where they come from; what clients send under these names is removed first. */
const forwardingHeaders = '^(x[-_](forwarded([-_]|$)|real[-_]ip$)|forwarded$|proxy([-_]connection)?$|keep-alive$|te$|http2-settings$)';
const hostPattern = '^(\\[[0-9a-f:.]+\\]|[a-z0-9._-]+)(:[0-9]{1,5})?$';
const connectionPattern = '^[ \\t]*((keep-alive|close|upgrade|te|http2-settings)?[ \\t]*(,[ \\t]*|$))*$';

function frontendSection({ listen, hold }: HaproxySettings): string {
  const ipv6 = listen.startsWith('[');
  const forwarded = (source: string): string => `'for=${source};host="%[req.hdr(host)]";proto=http'`;
  return `frontend public
  bind ${listen} proto h1
  bind unix@run/relay.sock mode 600 accept-proxy proto h1
  acl odd_path path -m sub // /. % \\\\
  http-request deny deny_status 400 unless { req.hdr(host) -m reg -i ${quoted(hostPattern)} }
  http-request deny deny_status 400 if HTTP_1.0 { req.hdr(transfer-encoding) -m found }
  http-request deny deny_status 400 if { req.fhdr(connection) -m found } !{ req.fhdr(connection) -m reg -i ${quoted(connectionPattern)} }
  http-request deny deny_status 405 if METH_CONNECT
  http-request set-var(txn.path) path
  http-request set-var(txn.path) path,url_dec,regsub(/+,/,g) if odd_path
  http-request deny deny_status 400 if odd_path { path -m sub \\\\ }
  http-request deny deny_status 400 if odd_path { var(txn.path) -m reg '(^|/)\\.\\.?(/|$)' }
  http-request set-var(txn.route) req.hdr(host),field(1,:),lower,concat(,txn.path,/),map_beg(${routesMap})
  http-request set-uri %[pathq] unless { url_beg / }
  http-request del-header ${quoted(forwardingHeaders)} -m reg
  acl websocket req.fhdr(upgrade) -m str -i websocket
  http-request del-header upgrade if { req.fhdr(upgrade) -m found } !websocket
  http-request del-header connection if { req.fhdr(connection) -m found } !websocket
  http-request set-header Connection upgrade if websocket
  http-request add-header X-Forwarded-For %[src]
  http-request add-header X-Forwarded-Proto http
  http-request add-header X-Forwarded-Host %[req.hdr(host)]
  http-request add-header X-Forwarded-Port %[dst_port]
  http-request add-header X-Real-IP %[src]
  http-request add-header Forwarded ${forwarded(ipv6 ? '"[%[src]]"' : '%[src]')}
  http-request disable-l7-retry unless METH_GET
  http-request ${holdAction(hold)} if { var(txn.route) -m beg hold_ }
  use_backend relay if { stopping }
  use_backend %[var(txn.route),field(1,/)] if { var(txn.route) -m found }
  default_backend unknown`;
}

function sharedBackends({ domain }: HaproxySettings): string {
  const target = `%[var(txn.route),map_str(${targetsMap})]`;
  const plain = 'content-type "text/plain; charset=utf-8" hdr Retry-After 5 hdr Cache-Control no-store';
  const notice = `${plain} lf-string "${target}\\n"`;
  const held = `${plain} lf-string "%[var(txn.held)] Try again in a few seconds.\\n"`;
  const redirects = [301, 302, 307, 308].flatMap((code) => [
    `backend redirect_carry_${code}\n  http-request redirect location '${target}%[pathq,ltrim(/)]' code ${code}`,
    `backend redirect_exact_${code}\n  http-request redirect location '${target}' code ${code}`,
  ]);
  return `backend relay
  server next unix@run/relay.sock send-proxy-v2
backend unknown
  http-request set-var(txn.digests) str(-),map_str(${digestsMap})
  http-request return status 404 content-type "text/html; charset=utf-8" hdr Cache-Control no-store string ${quoted(unknownPage(domain))}
backend notice_creating
  http-request return status 503 ${notice}
backend notice_unavailable
  http-request return status 503 ${notice}
backend hold_switching
  http-request return status 503 ${held}
backend hold_suspended
  http-request return status 503 ${held}
${redirects.join('\n')}`;
}
