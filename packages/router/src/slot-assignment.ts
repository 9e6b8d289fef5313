import type { Digest, EnvironmentId } from '@coppice/model';
import type { CompiledRoute, CompiledTable, RouteGroup } from './compiled-table.ts';

/** A group with the number of the back end that serves it. */
export interface AssignedGroup extends RouteGroup {
  readonly slot: number;
}

/** All that one environment has in the router: what lies on disk for it, and what the running HAProxy is brought to. */
export interface AssignedTable {
  readonly v: 1;
  readonly environment: EnvironmentId;
  readonly digest: Digest;
  readonly hosts: readonly string[];
  readonly groups: readonly AssignedGroup[];
  /** Key and value of the route map. */
  readonly routes: readonly (readonly [string, string])[];
  /** Key and text of the map of targets. */
  readonly targets: readonly (readonly [string, string])[];
}

/** What the running configuration was made with: how many slots, and the rules of those that have some. */
export interface SlotLayout {
  readonly v: 1;
  /** Raised at each reload; names the socket of its worker. */
  readonly generation: number;
  readonly slots: number;
  /** By slot number. */
  readonly rules: Readonly<Record<string, readonly string[]>>;
}

/** What an assignment may choose from. */
export interface SlotChoice {
  /** Slots of the same environment before, by the key of their group. */
  readonly previous: ReadonlyMap<string, number>;
  /** The next slot that is free and idle, without rules; undefined where the pool is used up. */
  readonly nextFree: () => number | undefined;
}

/** Gives each group a slot: its own of before, else a free one. Undefined where that needs another configuration: rules, or more slots. */
export function assignInPlace(compiled: CompiledTable, choice: SlotChoice): ReadonlyMap<string, number> | undefined {
  const slots = new Map<string, number>();
  for (const group of compiled.groups) {
    const kept = choice.previous.get(group.key);
    const slot = kept ?? (group.rules.length === 0 ? choice.nextFree() : undefined);
    if (slot === undefined) return undefined;
    slots.set(group.key, slot);
  }
  return slots;
}

/** The same where a new worker will start from it, which has no past: any slot that nobody has, and as many as it takes. */
export function assignAnew(
  compiled: CompiledTable,
  { previous, used }: { readonly previous: ReadonlyMap<string, number>; readonly used: ReadonlySet<number> },
): ReadonlyMap<string, number> {
  const slots = new Map<string, number>();
  const taken = new Set([...used, ...previous.values()]);
  let candidate = 0;
  for (const group of compiled.groups) {
    let slot = previous.get(group.key);
    while (slot === undefined) {
      if (!taken.has(candidate)) slot = candidate;
      candidate += 1;
    }
    slots.set(group.key, slot);
  }
  return slots;
}

/** Puts the slots' numbers into a compiled table. */
export function assignedTable(
  identity: Pick<AssignedTable, 'environment' | 'digest' | 'hosts'>,
  {
    compiled,
    slots,
    before,
  }: { readonly compiled: CompiledTable; readonly slots: ReadonlyMap<string, number>; readonly before: AssignedTable | undefined },
): AssignedTable {
  const slotOf = (key: string): number => {
    const slot = slots.get(key);
    if (slot === undefined) throw new TypeError(`no slot for group ${key}`);
    return slot;
  };
  const leadsTo = (route: CompiledRoute): string => {
    if (route.kind === 'group') return slotName(slotOf(route.group));
    return route.kind === 'hold' ? `hold_${route.cause}/${identity.environment}` : route.value;
  };
  return {
    v: 1,
    ...identity,
    groups: [...compiled.groups.map((group) => ({ ...group, slot: slotOf(group.key) })), ...keptForRelease(compiled, before)],
    routes: compiled.routes.map((route) => [route.match, leadsTo(route)] as const),
    targets: compiled.routes.flatMap((route) => (route.kind === 'shared' ? [[route.value, route.text] as const] : [])),
  };
}

/**
 * Groups of before that a held route may lead to again: their slots stay the environment's, without servers but with their rules, so that
 * the release needs no other configuration. At most as many as routes are held, the latest first.
 */
function keptForRelease(compiled: CompiledTable, before: AssignedTable | undefined): readonly AssignedGroup[] {
  const keys = new Set(compiled.groups.map((group) => group.key));
  const gone = (before?.groups ?? []).filter((group) => !keys.has(group.key));
  const held = compiled.routes.filter((route) => route.kind === 'hold').length;
  return gone.slice(0, held).map((group) => ({ ...group, servers: [] }));
}

/** Name of a slot's back end. */
export function slotName(slot: number): string {
  return `be_${slot}`;
}

/** The layout a new worker needs for these tables: never fewer slots than before, doubled when three quarters are in use. */
export function layoutFor(tables: Iterable<AssignedTable>, before: Pick<SlotLayout, 'generation' | 'slots'>): SlotLayout {
  const rules: Record<string, readonly string[]> = {};
  let highest = -1;
  let used = 0;
  for (const group of [...tables].flatMap((table) => table.groups)) {
    used += 1;
    highest = Math.max(highest, group.slot);
    if (group.rules.length > 0) rules[group.slot] = group.rules;
  }
  let slots = before.slots;
  while (slots <= highest || slots * 0.75 < used) slots *= 2;
  return { v: 1, generation: before.generation + 1, slots, rules };
}

/** Whether a configuration made for `layout` has what the tables need of it. */
export function layoutFits(tables: Iterable<AssignedTable>, layout: SlotLayout): boolean {
  for (const group of [...tables].flatMap((table) => table.groups)) {
    if (group.slot >= layout.slots) return false;
    if (JSON.stringify(layout.rules[group.slot] ?? []) !== JSON.stringify(group.rules)) return false;
  }
  return true;
}
