import type { NodeName, ObservedEnvironment } from '@coppice/model';
import { type NodeStop, orderStops, type Relations } from './order-stops.ts';
import type { Step } from './plan-value.ts';
import { StepList } from './step-list.ts';

interface ShutDown {
  readonly works: readonly NodeStop[];
  readonly served: Relations;
  readonly observed: ObservedEnvironment;
}

/** Stops everything, dependants first; network, volumes and routes stay. `noticeFirst`: the routes lead to a notice before that. */
export function suspendSteps(
  { works, served }: ShutDown,
  routes: { readonly differ: boolean; readonly isRouted: (node: NodeName) => boolean },
): readonly Step[] {
  const list = new StepList();
  const notice = routes.differ ? list.add({ kind: 'switch-routes' }) : undefined;
  orderStops(list, {
    works,
    relations: served,
    before: (node, digest) => (notice && routes.isRouted(node) ? [list.add({ kind: 'drain', node, digest }, [notice])] : [notice]),
  });
  return list.ordered();
}

/** Removes everything: routes, then instances, dependants first, then the network, and the data last of all. */
export function deleteSteps({ works, served, observed }: ShutDown): readonly Step[] {
  const list = new StepList();
  const routes = observed.routes === undefined ? undefined : list.add({ kind: 'remove-routes' });
  const stops = [...orderStops(list, { works, relations: served, before: () => [routes] }).values()].flat();
  const network = observed.network ? list.add({ kind: 'remove-network' }, [routes, ...stops]) : undefined;
  if (observed.volumes.length > 0) list.add({ kind: 'remove-volumes' }, [routes, ...stops, network]);
  return list.ordered();
}
