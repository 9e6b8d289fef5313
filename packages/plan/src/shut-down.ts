import type { NodeName, ObservedEnvironment, SnapshotId } from '@coppice/model';
import type { DataChange } from './data-change.ts';
import { addDataSteps } from './data-steps.ts';
import { type NodeStop, orderStops, type Relations } from './order-stops.ts';
import type { Step } from './plan-value.ts';
import { StepList } from './step-list.ts';

interface ShutDown {
  readonly works: readonly NodeStop[];
  readonly served: Relations;
  readonly observed: ObservedEnvironment;
}

/** Stops everything, dependants first; network, volumes and routes stay. The data becomes what it shall be once nothing runs. */
export function suspendSteps(
  { works, served }: ShutDown,
  routes: { readonly differ: boolean; readonly isRouted: (node: NodeName) => boolean },
  data: DataChange | undefined,
): readonly Step[] {
  const list = new StepList();
  const notice = routes.differ ? list.add({ kind: 'switch-routes' }) : undefined;
  const stops = orderStops(list, {
    works,
    relations: served,
    before: (node, digest) => (notice && routes.isRouted(node) ? [list.add({ kind: 'drain', node, digest }, [notice])] : [notice]),
  });
  addDataSteps(list, data, [...stops.values()].flat());
  return list.ordered();
}

/** Removes everything: routes, then instances, dependants first, then the network, and the data last of all, unless it is kept. */
export function deleteSteps({ works, served, observed }: ShutDown, keepAs: SnapshotId | undefined): readonly Step[] {
  const list = new StepList();
  const routes = observed.routes === undefined ? undefined : list.add({ kind: 'remove-routes' });
  const stops = [...orderStops(list, { works, relations: served, before: () => [routes] }).values()].flat();
  const network = observed.network ? list.add({ kind: 'remove-network' }, [routes, ...stops]) : undefined;
  const isThere = observed.volumes.length > 0 || observed.dataGeneration !== undefined;
  if (isThere) list.add({ kind: 'remove-volumes', ...(keepAs ? { keepAs } : {}) }, [routes, ...stops, network]);
  return list.ordered();
}
