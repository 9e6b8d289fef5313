import type { NodeSpec, ObservedGeneration, ObservedInstance } from '@coppice/model';
import { fieldReasons } from './node-reasons.ts';
import type { Reason } from './plan-value.ts';
import { wantedInstances } from './wanted-instances.ts';

/** The instances of a node's desired generation, sorted out. */
export interface Population {
  /** Those that stay, by index. */
  readonly stay: readonly ObservedInstance[];
  /** Those that must go: crashed and unready ones, and live ones whose index is not among the wanted. By index. */
  readonly remove: readonly ObservedInstance[];
  /** How many must be started. */
  readonly missing: number;
  /** Whether all that stay were seen ready. */
  readonly confirmed: boolean;
  /** Whether memory or CPU of one that stays is not what the spec says. */
  readonly differ: boolean;
}

/** Sorts out the instances of the generations that have the right digest. Indexes are unique among them. */
export function populate(spec: NodeSpec, right: readonly ObservedGeneration[]): Population {
  const [only] = right;
  const instances = right.length === 1 && only ? only.instances : right.flatMap((generation) => generation.instances);
  const wanted = wantedInstances(spec);
  // By index, since an engine starts what is missing by index.
  const stay = instances.filter((instance) => isSound(instance) && instance.index < wanted).sort(byIndex);
  const remove = stay.length === instances.length ? [] : instances.filter((instance) => !stay.includes(instance)).sort(byIndex);
  return {
    stay,
    remove,
    missing: wanted - stay.length,
    confirmed: stay.every((instance) => instance.readiness === 'ready'),
    differ: stay.some((instance) => !fits(instance, spec)),
  };
}

/** Why instances start or go. */
export function instanceReasons(population: Population, spec: NodeSpec, before: NodeSpec | undefined): readonly Reason[] {
  const reasons = new Map<string, Reason>();
  const faulty = population.remove.filter((instance) => !isSound(instance));
  for (const instance of faulty) {
    const reason = faultOf(instance);
    reasons.set(JSON.stringify(reason), reason);
  }
  const wanted = wantedInstances(spec);
  const sound = population.stay.length + population.remove.length - faulty.length;
  if (before && before.instances !== spec.instances && (population.missing > 0 || sound > wanted)) {
    return [...fieldReasons('instances', before.instances, spec.instances), ...reasons.values()];
  }
  if (sound > wanted) return [{ kind: 'drift', detail: `${sound} instances run, ${wanted} wanted` }, ...reasons.values()];
  if (population.missing > faulty.length) return [{ kind: 'instance-missing', running: sound, wanted }, ...reasons.values()];
  return [...reasons.values()];
}

/** Which of the resources of running instances change. */
export function inPlaceReasons(population: Population, spec: NodeSpec): readonly Reason[] {
  const odd = population.stay.find((instance) => !fits(instance, spec));
  if (!odd) return [];
  const memory = fieldReasons('memory', memoryText(odd.memoryBytes), memoryText(spec.resources.memoryBytes));
  return [...(sameCpu(odd, spec) ? [] : fieldReasons('cpu', String(odd.cpu), String(spec.resources.cpu))), ...memory];
}

function faultOf(instance: ObservedInstance): Reason {
  if (instance.state === 'exited') return { kind: 'instance-crashed', exitCode: instance.exitCode, outOfMemory: instance.outOfMemory };
  return instance.state === 'created' ? { kind: 'drift', detail: 'an instance was never started' } : { kind: 'instance-unready' };
}

function isSound(instance: ObservedInstance): boolean {
  return instance.state === 'running' && instance.readiness !== 'unready';
}

function fits(instance: ObservedInstance, spec: NodeSpec): boolean {
  return instance.memoryBytes === spec.resources.memoryBytes && sameCpu(instance, spec);
}

/** Engines round a quota; what differs by less than a thousandth of a core is equal. */
function sameCpu(instance: ObservedInstance, spec: NodeSpec): boolean {
  return Math.abs(instance.cpu - spec.resources.cpu) < 0.001;
}

function memoryText(bytes: number): string {
  const mebibyte = 1024 * 1024;
  return bytes % mebibyte === 0 ? `${bytes / mebibyte}M` : `${bytes}`;
}

function byIndex(a: ObservedInstance, b: ObservedInstance): number {
  return a.index - b.index || (a.id < b.id ? -1 : 1);
}
