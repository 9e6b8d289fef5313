import { CoppiceError, type Digest, type EnvironmentId, type RouteEntry, type RouteTable, routeTableDigest } from '@coppice/model';
import type { Router } from './router.ts';
import { checkEnvironmentId, checkRouteTable } from './router-validation.ts';

/** A router in memory for tests, with views and levers that the real one does not have. */
export interface SimulatedRouter extends Router {
  /** The route that a request would take: exact host, longest path; undefined for the page of unknown hosts, or while it is killed. */
  route(host: string, path: string): RouteEntry | undefined;
  /** Ends it as SIGKILL would; what it was told lies on, as on disk, and `ensureRunning` brings it back. */
  kill(): void;
  /** Sets what `openRequests` answers for an instance. */
  holdRequests(instance: string, count: number): void;
}

/** A router that serves nobody; checks and refuses like the real one. */
export function createSimulatedRouter(address = '127.0.0.1:8080'): SimulatedRouter {
  const tables = new Map<EnvironmentId, RouteTable>();
  const held = new Map<string, number>();
  let running = false;
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
    },
    async remove(environment) {
      checkEnvironmentId(environment);
      running = true;
      tables.delete(environment);
    },
    async current() {
      const served = new Map<EnvironmentId, Digest>();
      if (running) for (const [environment, table] of tables) served.set(environment, routeTableDigest(table));
      return served;
    },
    async openRequests(instance) {
      return held.get(instance) ?? 0;
    },
    async shutdown() {
      running = false;
    },
    route(host, path) {
      return running
        ? longestRoute(
            [...tables.values()].flatMap((table) => table.entries),
            { host, path },
          )
        : undefined;
    },
    kill() {
      running = false;
    },
    holdRequests(instance, count) {
      held.set(instance, count);
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
