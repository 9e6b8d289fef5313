import { CoppiceError, type Digest, type EnvironmentId, type RouteEntry, type RouteTable, routeTableDigest } from '@coppice/model';
import type { Router, RouterUsage } from './router.ts';
import { checkEnvironmentId, checkRouteTable } from './router-validation.ts';
import { WakeHints } from './wake-hints.ts';

/** A router in memory for tests, with views and levers that the real one does not have. */
export interface SimulatedRouter extends Router {
  /** The route that a request would take: exact host, longest path; undefined for the page of unknown hosts, or while it is killed. */
  route(host: string, path: string): RouteEntry | undefined;
  /** What it was told last, by environment. */
  tables(): ReadonlyMap<EnvironmentId, RouteTable>;
  /** Ends it as SIGKILL would; what it was told lies on, as on disk, and `ensureRunning` brings it back. */
  kill(): void;
  /** Sets what `openRequests` answers for an instance. */
  holdRequests(instance: string, count: number): void;
  /** A request for `/`: resolves with its route, or undefined for none, once that is no hold. Waiting at a suspended hold it raises a wake. */
  request(host: string): Promise<RouteEntry | undefined>;
  /** Sets what `usage` answers for an environment that has a table; undefined: nothing open, and used just now. */
  setUsage(environment: EnvironmentId, usage: RouterUsage | undefined): void;
}

/** A request at a hold. */
interface WaitingRequest {
  readonly host: string;
  readonly environment: EnvironmentId;
  readonly release: (route: RouteEntry | undefined) => void;
}

/** A router that serves nobody; checks and refuses like the real one. */
export function createSimulatedRouter(address = '127.0.0.1:8080'): SimulatedRouter {
  const tables = new Map<EnvironmentId, RouteTable>();
  const openByInstance = new Map<string, number>();
  const usages = new Map<EnvironmentId, RouterUsage>();
  const waiting = new Set<WaitingRequest>();
  const listeners = new Set<WakeHints>();
  let running = false;
  const routeOf = (host: string, path: string): RouteEntry | undefined =>
    running
      ? longestRoute(
          [...tables.values()].flatMap((table) => table.entries),
          { host, path },
        )
      : undefined;
  const releaseAll = (): void => {
    for (const request of waiting) {
      const route = routeOf(request.host, '/');
      if (route?.target.kind === 'hold') continue;
      waiting.delete(request);
      request.release(route);
    }
  };
  const isSuspended = ({ host }: WaitingRequest): boolean => {
    const target = routeOf(host, '/')?.target;
    return target?.kind === 'hold' && target.cause === 'suspended';
  };
  const heldOf = (environment: EnvironmentId): number => [...waiting].filter((request) => request.environment === environment).length;
  return {
    address,
    async ensureRunning() {
      running = true;
    },
    async apply(environment, table) {
      checkEnvironmentId(environment);
      checkRouteTable(table);
      refuseForeignHosts({ environment, table, tables });
      running = true;
      tables.set(environment, structuredClone(table));
      releaseAll();
    },
    async remove(environment) {
      checkEnvironmentId(environment);
      running = true;
      tables.delete(environment);
      releaseAll();
    },
    async current() {
      const served = new Map<EnvironmentId, Digest>();
      if (running) for (const [environment, table] of tables) served.set(environment, routeTableDigest(table));
      return served;
    },
    async holding() {
      const causes = [...tables].flatMap(([environment, { entries }]) =>
        entries.flatMap(({ target }) => (target.kind === 'hold' ? [[environment, target.cause] as const] : [])),
      );
      return new Map(causes);
    },
    async openRequests(instance) {
      return openByInstance.get(instance) ?? 0;
    },
    async *wakes(signal) {
      const hints = new WakeHints();
      for (const request of waiting) if (isSuspended(request)) hints.add(request.environment);
      listeners.add(hints);
      try {
        yield* hints.read(signal);
      } finally {
        listeners.delete(hints);
      }
    },
    async usage() {
      if (!running) return new Map();
      const idle = (environment: EnvironmentId): RouterUsage => ({ open: 0, held: heldOf(environment), idleMs: 0 });
      return new Map([...tables.keys()].map((environment) => [environment, usages.get(environment) ?? idle(environment)]));
    },
    async shutdown() {
      running = false;
      releaseAll();
    },
    route: routeOf,
    tables: () => tables,
    kill() {
      running = false;
      releaseAll();
    },
    holdRequests(instance, count) {
      openByInstance.set(instance, count);
    },
    async request(host) {
      const route = routeOf(host, '/');
      const environment = [...tables].find(([, table]) => route && table.entries.includes(route))?.[0];
      if (route?.target.kind !== 'hold' || environment === undefined) return route;
      return await new Promise((release) => {
        const request = { host, environment, release };
        waiting.add(request);
        if (isSuspended(request)) for (const hints of listeners) hints.add(environment);
      });
    },
    setUsage(environment, usage) {
      if (usage) usages.set(environment, usage);
      else usages.delete(environment);
    },
  };
}

function refuseForeignHosts({
  environment,
  table,
  tables,
}: {
  environment: EnvironmentId;
  table: RouteTable;
  tables: ReadonlyMap<EnvironmentId, RouteTable>;
}): void {
  const hosts = new Set(table.entries.map((entry) => entry.host));
  for (const [other, { entries }] of tables) {
    const shared = other === environment ? undefined : entries.find((entry) => hosts.has(entry.host));
    if (shared) throw new CoppiceError('conflict', `the host ${shared.host} belongs to another environment`);
  }
}

function longestRoute(entries: readonly RouteEntry[], { host, path }: { host: string; path: string }): RouteEntry | undefined {
  const bare = host.toLowerCase().replace(/:\d+$/, '');
  return entries
    .filter((entry) => entry.host === bare && `${path}/`.startsWith(entry.path))
    .sort((left, right) => right.path.length - left.path.length)[0];
}
