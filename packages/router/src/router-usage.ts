import type { EnvironmentId } from '@coppice/model';
import type { RouterUsage } from './router.ts';
import { type AssignedTable, slotName } from './slot-assignment.ts';
import type { StatRow } from './stat-rows.ts';

/** What HAProxy tells of itself: rows of back ends, of which several may have one name (old workers), and who waits. */
export interface WorkerFigures {
  readonly rows: readonly StatRow[];
  readonly held: ReadonlyMap<string, string>;
  /** Since the worker was started. */
  readonly upSeconds: number;
}

/** How much each environment is used, from the back ends of its slots. */
export function usageByEnvironment(tables: Iterable<AssignedTable>, figures: WorkerFigures): ReadonlyMap<EnvironmentId, RouterUsage> {
  const byBackend = Map.groupBy(figures.rows, (row) => row.backend);
  const usages = new Map<EnvironmentId, RouterUsage>();
  for (const { environment, groups } of tables) {
    const rows = groups.flatMap((group) => byBackend.get(slotName(group.slot)) ?? []);
    const idleSeconds = Math.min(figures.upSeconds, ...rows.flatMap((row) => row.lastSeconds ?? []));
    const open = rows.reduce((sum, row) => sum + row.open, 0);
    usages.set(environment, { open, held: Number(figures.held.get(environment) ?? 0), idleMs: idleSeconds * 1000 });
  }
  return usages;
}
