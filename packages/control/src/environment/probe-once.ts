import type { Engine } from '@coppice/engine';
import { probe } from '@coppice/executor';
import type { ProbeOnce } from './health-monitor.ts';

/** One probe of a running instance within the node's own time limit. */
export function probeOnce(engine: Pick<Engine, 'exec'>): ProbeOnce {
  return async (instance, readiness) => await probe(engine, instance, readiness.probe, readiness.timeoutMs);
}
