import type { NodeName } from '@coppice/model';
import type { Assembly } from './assemble-steps.ts';
import type { NodeWork } from './node-work.ts';
import { orderStops, type Relations, stopsOf } from './order-stops.ts';
import type { MaybeId, StepList } from './step-list.ts';

export interface BroughtUp {
  /** Steps that whatever serves the release must wait for. */
  readonly ready: readonly string[];
  /** Requests wait until the routes are switched. */
  readonly holds: boolean;
}

/** Adds the steps up to readiness, dependencies first. */
export function bringUp(list: StepList, assembly: Assembly, active: readonly NodeWork[]): BroughtUp {
  const network = assembly.createNetwork ? list.add({ kind: 'create-network' }) : undefined;
  const early = active.filter((work) => work.stopFirst.length > 0);
  const hold = addHold(list, assembly, { active, early: early.filter((work) => work.stopLast.length === 0) });
  const stops = orderStops(list, { works: stopsOf(early, 'stopFirst'), relations: assembly.served, before: () => [hold] });
  const earlyBelow = dependsOnAny(assembly.desired, active, new Set(early.map((work) => work.node)));
  const ready = new Map<NodeName, string>();
  const entries = new Map<NodeName, readonly string[]>();
  const loose: string[] = [];
  for (const work of active) {
    const own = stops.get(work.node) ?? [];
    const added = addNode(list, work, { network, hold, stops: own });
    if (added.ready !== undefined) ready.set(work.node, added.ready);
    loose.push(...added.loose);
    // What is stopped early stays up as long as it can. Where a dependency stops too, it has to go first.
    entries.set(work.node, earlyBelow.has(work.node) ? added.entry : [...added.entry, ...own]);
  }
  const awaited = new Set<string>();
  for (const [node, entry] of entries) {
    if (entry.length === 0) continue;
    const needed = (assembly.desired.get(node) ?? []).flatMap((other) => (other === node ? [] : (ready.get(other) ?? [])));
    for (const id of entry) list.order(id, needed);
    for (const id of needed) awaited.add(id);
  }
  return { ready: [...loose, ...[...ready.values()].filter((id) => !awaited.has(id))], holds: hold !== undefined };
}

/** Requests wait while something they need is replaced in place, and go on waiting where a plan that was cut off let them wait. */
function addHold(
  list: StepList,
  assembly: Assembly,
  { active, early }: { readonly active: readonly NodeWork[]; readonly early: readonly NodeWork[] },
): MaybeId {
  const cause = assembly.holding ? active.filter((work) => work.target !== undefined && work.awaitReady) : early;
  if (cause.length === 0) return undefined;
  const nodes = assembly.routedAbove(cause.map((work) => work.node));
  return nodes.length === 0 ? undefined : list.add({ kind: 'hold-routes', nodes });
}

interface Added {
  /** Steps that wait for the node's dependencies. */
  readonly entry: readonly string[];
  /** What its dependants wait for. */
  readonly ready: MaybeId;
  /** Must be done before the release serves, but no dependant waits for it. */
  readonly loose: readonly string[];
}

function addNode(
  list: StepList,
  work: NodeWork,
  before: { readonly network: MaybeId; readonly hold: MaybeId; readonly stops: readonly string[] },
): Added {
  const { node, target } = work;
  if (!target) return { entry: [], ready: undefined, loose: [] };
  const { digest } = target;
  const volumes = work.volumes ? list.add({ kind: 'create-volumes', node }) : undefined;
  const pull = work.start || work.deployJob || work.postDeployJob ? list.add({ kind: 'pull-image', node }) : undefined;
  for (const id of before.stops) list.order(id, [before.network, pull, volumes]);
  // Nobody waits for an image.
  if (before.hold !== undefined && before.stops.length > 0) list.order(before.hold, [before.network, pull, volumes]);
  const around = [before.network, volumes, pull, ...before.stops];
  const job = work.deployJob ? list.add({ kind: 'run-job', node, hook: 'deploy' }, around) : undefined;
  const faulty = work.start && work.remove.ids.length > 0;
  const removed = faulty ? list.add({ kind: 'remove-instances', node, digest, instances: work.remove.ids }, [pull, volumes]) : undefined;
  const held = before.stops.length === 0 ? before.hold : undefined;
  const start = work.start ? list.add({ kind: 'start', node, digest }, [...around, job, removed, held]) : undefined;
  const provision = work.provision ? list.add({ kind: 'provision', node, digest }, [start]) : undefined;
  const confirm = work.awaitReady ? list.add({ kind: 'await-ready', node, digest }, [start, provision]) : undefined;
  const firewall = work.firewall ? { firewall: true as const } : {};
  const address = work.address === 'ready' ? list.add({ kind: 'switch-address', node, digest, ...firewall }, [confirm]) : undefined;
  if (work.resize) list.add({ kind: 'resize', node, digest }, [confirm]);
  const entry = job ?? start;
  return {
    entry: entry === undefined ? [] : [entry],
    ready: address ?? confirm ?? provision,
    loose: job !== undefined && start === undefined ? [job] : [],
  };
}

/** Nodes that need, through any number of others, one of `marked`; only through nodes that are active. Iterative. */
function dependsOnAny(relations: Relations, active: readonly NodeWork[], marked: ReadonlySet<NodeName>): ReadonlySet<NodeName> {
  const found = new Set<NodeName>();
  if (marked.size === 0) return found;
  const dependants = new Map<NodeName, NodeName[]>();
  for (const { node } of active) {
    for (const other of relations.get(node) ?? []) {
      const known = dependants.get(other);
      if (known) known.push(node);
      else dependants.set(other, [node]);
    }
  }
  const queue = [...marked];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const dependant of dependants.get(node) ?? []) {
      if (found.has(dependant)) continue;
      found.add(dependant);
      queue.push(dependant);
    }
  }
  return found;
}
