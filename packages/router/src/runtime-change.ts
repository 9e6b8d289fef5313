import { serverAddress, serverOptions } from './haproxy-config.ts';
import type { RuntimeServer, RuntimeState } from './runtime-state.ts';
import { type MapName, mapFiles } from './runtime-state.ts';
import { type AssignedTable, slotName } from './slot-assignment.ts';

/** One command for a worker, as data. `path` is `<back end>/<server>`. */
export type RuntimeChange =
  | { readonly kind: 'add-entry' | 'set-entry'; readonly map: MapName; readonly key: string; readonly value: string }
  | { readonly kind: 'delete-entry'; readonly map: MapName; readonly key: string }
  | { readonly kind: 'add-server'; readonly path: string; readonly server: RuntimeServer }
  | { readonly kind: 'enable-server' | 'take-out-server' | 'delete-server'; readonly path: string };

/** What is to be true of the run-time state; everything else of the same environments goes. */
export interface RuntimeGoal {
  readonly routes: ReadonlyMap<string, string>;
  readonly targets: ReadonlyMap<string, string>;
  readonly digests: ReadonlyMap<string, string>;
  readonly servers: ReadonlyMap<string, RuntimeServer>;
}

/** The goal that tables make. */
export function goalOf(tables: Iterable<AssignedTable>): RuntimeGoal {
  const goal = { routes: new Map(), targets: new Map(), digests: new Map(), servers: new Map() };
  for (const table of tables) {
    for (const [key, value] of table.routes) goal.routes.set(key, value);
    for (const [key, value] of table.targets) goal.targets.set(key, value);
    for (const group of table.groups)
      for (const server of group.servers) goal.servers.set(`${slotName(group.slot)}/${server.name}`, { ...server, state: 'ready' });
    goal.digests.set(table.environment, table.digest);
  }
  return goal;
}

/** What may be changed: keys outside belong to others and are left alone. */
export interface ChangeScope {
  readonly route: (key: string) => boolean;
  readonly target: (key: string) => boolean;
  readonly digest: (key: string) => boolean;
  /** By back end. */
  readonly backend: (name: string) => boolean;
}

/**
 * The commands from a state to a goal, in an order in which every request in between finds a server: what is new first, then the
 * routes, then what is old. The digest of an environment is gone while it changes and set last, so a cut shows.
 */
export function runtimeChanges(state: RuntimeState, goal: RuntimeGoal, scope: ChangeScope): readonly RuntimeChange[] {
  const inner = [
    ...addedEntries('targets', state, goal.targets),
    ...arrivingServers(state, goal),
    ...addedEntries('routes', state, goal.routes),
    ...deletedEntries('routes', { state, goal: goal.routes, within: scope.route }),
    ...leavingServers(state, goal, scope),
    ...deletedEntries('targets', { state, goal: goal.targets, within: scope.target }),
  ];
  const staleDigests = [...state.maps.digests].filter(
    ([key, value]) => scope.digest(key) && (inner.length > 0 || goal.digests.get(key) !== value),
  );
  const remaining = new Map([...state.maps.digests].filter(([key]) => !staleDigests.some(([stale]) => stale === key)));
  const newDigests = [...goal.digests].filter(([key]) => !remaining.has(key));
  return [
    ...staleDigests.map(([key]) => ({ kind: 'delete-entry', map: 'digests', key }) as const),
    ...inner,
    ...newDigests.map(([key, value]) => ({ kind: 'add-entry', map: 'digests', key, value }) as const),
  ];
}

function addedEntries(map: MapName, state: RuntimeState, goal: ReadonlyMap<string, string>): RuntimeChange[] {
  const changes: RuntimeChange[] = [];
  for (const [key, value] of goal) {
    const present = state.maps[map].get(key);
    if (present === undefined) changes.push({ kind: 'add-entry', map, key, value });
    else if (present !== value) changes.push({ kind: 'set-entry', map, key, value });
  }
  return changes;
}

function deletedEntries(
  map: MapName,
  {
    state,
    goal,
    within,
  }: { readonly state: RuntimeState; readonly goal: ReadonlyMap<string, string>; readonly within: (key: string) => boolean },
): RuntimeChange[] {
  return [...state.maps[map].keys()].filter((key) => within(key) && !goal.has(key)).map((key) => ({ kind: 'delete-entry', map, key }));
}

function arrivingServers(state: RuntimeState, goal: RuntimeGoal): RuntimeChange[] {
  const changes: RuntimeChange[] = [];
  for (const [path, server] of goal.servers) {
    const present = state.servers.get(path);
    if (!present) changes.push({ kind: 'add-server', path, server });
    if (present?.state !== 'ready') changes.push({ kind: 'enable-server', path });
  }
  return changes;
}

function leavingServers(state: RuntimeState, goal: RuntimeGoal, scope: ChangeScope): RuntimeChange[] {
  const changes: RuntimeChange[] = [];
  for (const [path, server] of state.servers) {
    const backend = path.slice(0, path.indexOf('/'));
    if (server.state === 'ready' && scope.backend(backend) && !goal.servers.has(path)) changes.push({ kind: 'take-out-server', path });
  }
  return changes;
}

/** The command line of a change; texts travel as payload, which needs no escaping. */
export function changeCommand(change: RuntimeChange): string {
  switch (change.kind) {
    case 'add-entry':
      return `add map ${mapFiles[change.map]} <<\n${change.key} ${change.value}\n`;
    case 'set-entry':
      return `set map ${mapFiles[change.map]} ${change.key} ${change.value}`;
    case 'delete-entry':
      return `del map ${mapFiles[change.map]} ${change.key}`;
    case 'add-server':
      return `add server ${change.path} ${serverAddress(change.server)} ${serverOptions}`;
    case 'enable-server':
      return `set server ${change.path} state ready`;
    case 'take-out-server':
      return `set server ${change.path} state maint`;
    case 'delete-server':
      return `del server ${change.path}`;
  }
}

/** Whether HAProxy's answer to a change says that it was done. */
export function changeSucceeded(change: RuntimeChange, answer: string): boolean {
  if (change.kind === 'add-server') return answer === 'New server registered.';
  if (change.kind === 'delete-server') return answer === 'Server deleted.';
  return answer === '';
}

/** Brings our picture of the worker up to date after a change succeeded. */
export function recordChange(state: RuntimeState, change: RuntimeChange): void {
  switch (change.kind) {
    case 'add-entry':
    case 'set-entry':
      state.maps[change.map].set(change.key, change.value);
      return;
    case 'delete-entry':
      state.maps[change.map].delete(change.key);
      return;
    case 'add-server':
      state.servers.set(change.path, { ...change.server, state: 'out' });
      return;
    case 'enable-server':
    case 'take-out-server': {
      const server = state.servers.get(change.path);
      if (server) state.servers.set(change.path, { ...server, state: change.kind === 'enable-server' ? 'ready' : 'out' });
      return;
    }
    case 'delete-server':
      state.servers.delete(change.path);
  }
}
