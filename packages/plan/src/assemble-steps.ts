import type { Digest, NodeName } from '@coppice/model';
import { type BroughtUp, bringUp } from './bring-up.ts';
import type { DataChange } from './data-change.ts';
import type { NodeWork } from './node-work.ts';
import { orderStops, type Relations, stopsOf } from './order-stops.ts';
import type { Step } from './plan-value.ts';
import { type MaybeId, StepList } from './step-list.ts';

/** Decisions about all nodes, and what is around them. */
export interface Assembly {
  /** One per node, sorted by name. */
  readonly works: readonly NodeWork[];
  /** What each desired node needs. */
  readonly desired: Relations;
  /** What each node needed as it was served. */
  readonly served: Relations;
  readonly createNetwork: boolean;
  /** Whether the routes are to be switched whatever happens to the nodes. */
  readonly routesDiffer: boolean;
  /** Whether a route leads to the node, before or after. */
  readonly isRouted: (node: NodeName) => boolean;
  /** Nodes that routes lead to and that need one of these, themselves included, through any number of others; sorted. */
  readonly routedAbove: (nodes: readonly NodeName[]) => readonly NodeName[];
  /** Requests wait already, since a plan was cut off. */
  readonly holding: boolean;
  readonly data: DataChange | undefined;
  /** Whether all data is to be copied once requests wait at the routes of these nodes; undefined: none are let wait that do not wait already. */
  readonly copiesUnder: (held: readonly NodeName[] | undefined) => boolean;
  /** By node: others whose old generations must be gone before it starts, since they have a volume of which one is the only holder. */
  readonly waitsFor: ReadonlyMap<NodeName, readonly NodeName[]>;
  /** The data is sanitised by this plan. */
  readonly sanitizes: boolean;
}

/**
 * Turns decisions into steps: bring up what is new, dependencies first; then let everything lead to it; then take down what is old,
 * dependants first.
 */
export function assembleSteps(assembly: Assembly): readonly Step[] {
  const list = new StepList();
  const active = assembly.works.filter((work) => work.change.action !== 'keep');
  const { ready, holds } = bringUp(list, assembly, active);
  const serving = release(list, assembly, { active, ready, holds });
  takeDown(list, assembly, { active, serving });
  return list.ordered();
}

/** Addresses, then routes. Answers what everything that comes after must wait for. */
function release(
  list: StepList,
  assembly: Assembly,
  { active, ready, holds }: { readonly active: readonly NodeWork[] } & BroughtUp,
): MaybeId {
  const switches: string[] = [];
  for (const { node, target, address, firewall } of active) {
    if (address !== 'release' || !target) continue;
    const step = { kind: 'switch-address', node, digest: target.digest, ...(firewall ? { firewall } : {}) } as const;
    // The first is the gate that waits for all; the others wait for it, which keeps the number of edges linear.
    switches.push(list.add(step, switches[0] === undefined ? ready : [switches[0]]));
  }
  const before = switches.length > 0 ? switches : ready;
  const routed = active.some((work) => assembly.isRouted(work.node) && changesServing(work));
  const joins = before.length > 0 && active.some(hasTail);
  return assembly.routesDiffer || holds || routed || joins ? list.add({ kind: 'switch-routes' }, before) : undefined;
}

function changesServing(work: NodeWork): boolean {
  return work.awaitReady || work.address !== 'none' || work.remove.ids.length > 0 || work.stopFirst.length > 0 || work.stopLast.length > 0;
}

function hasTail(work: NodeWork): boolean {
  return work.postDeployJob || work.stopLast.length > 0 || (work.remove.at === 'end' && work.remove.ids.length > 0);
}

/** Hooks once the release serves, and the end of what served before. */
function takeDown(
  list: StepList,
  assembly: Assembly,
  { active, serving }: { readonly active: readonly NodeWork[]; readonly serving: MaybeId },
): void {
  const drained = (node: NodeName, digest: Digest): readonly MaybeId[] =>
    assembly.isRouted(node) ? [list.add({ kind: 'drain', node, digest }, [serving])] : [serving];
  for (const { node, target, postDeployJob, remove } of active) {
    if (!target) continue;
    if (postDeployJob) list.add({ kind: 'run-job', node, hook: 'post_deploy' }, [serving, `pull-image ${node}`]);
    if (remove.at === 'start' || remove.ids.length === 0) continue;
    const { digest } = target;
    list.add({ kind: 'remove-instances', node, digest, instances: remove.ids }, drained(node, digest));
  }
  orderStops(list, { works: stopsOf(active, 'stopLast'), relations: assembly.served, before: drained });
}
