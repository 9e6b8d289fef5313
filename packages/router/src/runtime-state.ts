import type { SlotServer } from './compiled-table.ts';
import { configurationKey, digestsMap, routesMap, targetsMap } from './haproxy-config.ts';

export type MapName = 'routes' | 'targets' | 'digests';
export const mapFiles: Readonly<Record<MapName, string>> = { routes: routesMap, targets: targetsMap, digests: digestsMap };

/** A server as the worker has it; `out`: it gets no new requests. */
export interface RuntimeServer extends SlotServer {
  readonly state: 'ready' | 'out';
}

/** What a worker of HAProxy holds, kept up to date by `recordChange`; servers by `<back end>/<name>`. */
export interface RuntimeState {
  readonly maps: Readonly<Record<MapName, Map<string, string>>>;
  readonly servers: Map<string, RuntimeServer>;
}

export type Ask = (command: string) => Promise<string>;

/** Reads a worker's whole state from its run-time socket: three maps and all servers of slots. */
export async function readRuntimeState(ask: Ask): Promise<RuntimeState> {
  const [routes, targets, digests, servers] = await Promise.all([
    ask(`show map ${routesMap}`),
    ask(`show map ${targetsMap}`),
    ask(`show map ${digestsMap}`),
    ask('show servers state'),
  ]);
  return { maps: { routes: parseMap(routes), targets: parseMap(targets), digests: parseMap(digests) }, servers: parseServers(servers) };
}

/** Lines of `show map`: reference, key, value. */
export function parseMap(text: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^0x[0-9a-f]+ (\S+) (.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) entries.set(match[1], match[2]);
  }
  return entries;
}

/** Lines of `show servers state`, format 1 (Management Guide 2.6): the columns that tell name, address, port and administrative state. */
export function parseServers(text: string): Map<string, RuntimeServer> {
  const servers = new Map<string, RuntimeServer>();
  for (const line of text.split('\n')) {
    const columns = line.split(' ');
    const [, backend = '', , name = '', address = '', , admin] = columns;
    const port = Number(columns[18]);
    if (!backend.startsWith('be_') || columns.length < 20) continue;
    servers.set(`${backend}/${name}`, { name, address, port, state: admin === '0' ? 'ready' : 'out' });
  }
  return servers;
}

/** Digests of what is served, without the entry that names the configuration. */
export function servedDigests(digests: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...digests].filter(([key]) => key !== configurationKey));
}
