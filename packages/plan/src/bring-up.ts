import type { NodeName } from '@coppice/model';
import type { Assembly } from './assemble-steps.ts';
import type { Closed } from './data-change.ts';
import { addDataSteps, type DataSteps } from './data-steps.ts';
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
  const { data } = assembly;
  const held = heldNodes(assembly, { active, early: data ? early : early.filter((work) => work.stopLast.length === 0) });
  const hold = held && list.add({ kind: 'hold-routes', nodes: held });
  const stops = orderStops(list, { works: stopsOf(early, 'stopFirst'), relations: assembly.served, before: () => [hold] });
  const stopped = [...stops.values()].flat();
  const copied = assembly.copiesUnder(held) ? list.add({ kind: 'copy-data' }, [hold, ...stopped]) : undefined;
  const replaced = addDataSteps(list, data, [network, hold, ...stopped]);
  const sanitize =
    assembly.sanitizes && data?.closed ? addSanitize(list, data.closed, [network, hold, replaced.last, ...stopped]) : undefined;
  /** What must be gone before a node starts: its own, and that of those with whom it shares what one has to hold alone. */
  const stopsFor = ({ node }: NodeWork): readonly string[] =>
    [node, ...(assembly.waitsFor.get(node) ?? [])].flatMap((each) => stops.get(each) ?? []);
  const waiting = active.filter((work) => work.stopFirst.length > 0 || stopsFor(work).length > 0);
  const earlyBelow = dependsOnAny(assembly.desired, active, new Set(waiting.map((work) => work.node)));
  /** By node: what those wait for that start before the data is sanitised, and what all others do. */
  const [up, ready] = [new Map<NodeName, string>(), new Map<NodeName, string>()];
  const entries = new Map<NodeName, readonly string[]>();
  const pulls = new Map<string, string>();
  const loose: string[] = [];
  for (const work of active) {
    const own = stopsFor(work);
    const isNeeded = data?.closed?.needs.has(work.node) === true;
    const added = addNode(list, work, { network, hold, stops: own, copied, replaced, sanitize, isNeeded });
    if (added.up !== undefined) up.set(work.node, added.up);
    if (added.ready !== undefined) ready.set(work.node, added.ready);
    if (isNeeded && sanitize !== undefined) list.order(sanitize, [added.up]);
    if (added.pull !== undefined) pulls.set(work.node, added.pull);
    loose.push(...added.loose);
    // What is stopped early stays up as long as it can. Where a dependency stops too, or the data waits, it has to go first.
    entries.set(work.node, data || copied !== undefined || earlyBelow.has(work.node) ? added.entry : [...added.entry, ...own]);
  }
  // A node is not stopped for its successor while that one's image is still to come.
  for (const [node, ids] of data ? stops : []) {
    const successor = data?.moves.find(({ from }) => from === node)?.to;
    if (successor !== undefined) for (const id of ids) list.order(id, [pulls.get(successor)]);
  }
  const awaited = new Set<string>();
  for (const [node, entry] of entries) {
    if (entry.length === 0) continue;
    const those = data?.closed?.needs.has(node) ? up : ready;
    const needed = (assembly.desired.get(node) ?? []).flatMap((other) => (other === node ? [] : (those.get(other) ?? [])));
    for (const id of entry) list.order(id, needed);
    for (const id of needed) awaited.add(id);
  }
  const gate = sanitize ?? replaced.last;
  if (data) loose.push(...(gate === undefined ? stopped : [gate]));
  // What goes early goes before what it needs, also where nobody starts in its place since that rests.
  else for (const { node, target } of early) if (!target) loose.push(...(stops.get(node) ?? []));
  if (copied !== undefined) loose.push(copied);
  return { ready: [...loose, ...[...ready.values()].filter((id) => !awaited.has(id))], holds: hold !== undefined };
}

function addSanitize(list: StepList, { node, generation }: Closed, after: readonly MaybeId[]): string {
  return list.add({ kind: 'run-job', node, hook: 'sanitize', generation }, after);
}

/** Requests wait while something they need is replaced in place, and go on waiting where a plan that was cut off let them wait. */
function heldNodes(
  assembly: Assembly,
  { active, early }: { readonly active: readonly NodeWork[]; readonly early: readonly NodeWork[] },
): readonly NodeName[] | undefined {
  const cause = assembly.holding ? active.filter((work) => work.target !== undefined && work.awaitReady) : early;
  if (cause.length === 0) return undefined;
  const above = assembly.routedAbove(cause.map((work) => work.node));
  // The table is that of the release from now on: it may lead to what another node served until now.
  const coming = active.filter(({ node, change }) => change.strategy === 'start' && assembly.isRouted(node)).map(({ node }) => node);
  const nodes = [...new Set([...above, ...coming])].sort();
  return nodes.length === 0 ? undefined : nodes;
}

interface Added {
  readonly pull: MaybeId;
  /** Steps that wait for the node's dependencies. */
  readonly entry: readonly string[];
  /** It answers. */
  readonly up: MaybeId;
  /** What its dependants wait for. */
  readonly ready: MaybeId;
  /** Must be done before the release serves, but no dependant waits for it. */
  readonly loose: readonly string[];
}

interface Before {
  readonly network: MaybeId;
  readonly hold: MaybeId;
  readonly stops: readonly string[];
  readonly copied: MaybeId;
  readonly replaced: DataSteps;
  readonly sanitize: MaybeId;
  /** The node comes up before the data is sanitised. */
  readonly isNeeded: boolean;
}

function addNode(list: StepList, work: NodeWork, before: Before): Added {
  const { node, target } = work;
  if (!target) return { pull: undefined, entry: [], up: undefined, ready: undefined, loose: [] };
  const { digest } = target;
  const data = work.mounts ? before.replaced.last : undefined;
  const volumes = work.volumes ? list.add({ kind: 'create-volumes', node }, [data]) : undefined;
  const pull = work.start || work.deployJob || work.postDeployJob ? list.add({ kind: 'pull-image', node }) : undefined;
  // Nobody waits for an image, and no data is replaced that could not be run on.
  const prepared = [before.network, pull, ...(data === undefined ? [volumes] : [])];
  for (const id of before.stops) list.order(id, prepared);
  const isHeldFor = before.stops.length > 0 || before.replaced.first !== undefined;
  if (before.hold !== undefined && isHeldFor) list.order(before.hold, prepared);
  if (before.replaced.first !== undefined) list.order(before.replaced.first, [pull]);
  const gates = [data, before.copied, before.isNeeded ? undefined : before.sanitize];
  const around = [before.network, volumes, pull, ...before.stops, ...gates];
  // What sanitising needs is up before any hook may run.
  const late = before.isNeeded ? before.sanitize : undefined;
  const job = work.deployJob ? list.add({ kind: 'run-job', node, hook: 'deploy' }, [...around, late]) : undefined;
  const faulty = work.start && work.remove.ids.length > 0;
  const removed = faulty ? list.add({ kind: 'remove-instances', node, digest, instances: work.remove.ids }, [pull, volumes]) : undefined;
  const held = before.stops.length === 0 ? before.hold : undefined;
  const start = work.start
    ? list.add({ kind: 'start', node, digest }, [...around, late === undefined ? job : undefined, removed, held])
    : undefined;
  const provision = work.provision ? list.add({ kind: 'provision', node, digest }, [start]) : undefined;
  const confirm = work.awaitReady ? list.add({ kind: 'await-ready', node, digest }, [start ?? held, provision]) : undefined;
  const firewall = work.firewall ? { firewall: true as const } : {};
  const address = work.address === 'ready' ? list.add({ kind: 'switch-address', node, digest, ...firewall }, [confirm]) : undefined;
  if (work.resize) list.add({ kind: 'resize', node, digest }, [confirm]);
  const up = address ?? confirm ?? provision;
  if (late !== undefined && job !== undefined) {
    list.order(job, [up]);
    return { pull, entry: start === undefined ? [] : [start], up, ready: job, loose: [] };
  }
  const entry = job ?? start;
  return { pull, entry: entry === undefined ? [] : [entry], up, ready: up, loose: job !== undefined && start === undefined ? [job] : [] };
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
