import { setTimeout as pause } from 'node:timers/promises';
import type { Engine, GenerationRef } from '@coppice/engine';
import { CoppiceError, type NodeSpec, type ObservedInstance } from '@coppice/model';
import { wantedInstances } from '@coppice/plan';
import { lastOutput } from './last-output.ts';
import { probe } from './probe.ts';

export interface AwaitReady {
  readonly engine: Engine;
  readonly ref: GenerationRef;
  readonly node: NodeSpec;
  /** Those that were just started, where that is known: all of the generation. */
  readonly started?: readonly ObservedInstance[] | undefined;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

/** How often it is looked whether a process that does not answer is still there. */
const inspectEveryMs = 250;
const firstProbeTimeoutMs = 1_000;

/** Resolves with the instances once all are ready. Throws `not-ready` with the reason: exit code, out of memory, which probe, last output. */
export async function awaitReady(wait: AwaitReady): Promise<readonly ObservedInstance[]> {
  const wanted = wantedInstances(wait.node);
  const instances = (wait.started ?? (await instancesOf(wait))).filter(({ index }) => index < wanted);
  if (instances.length < wanted)
    throw new CoppiceError('not-ready', `${wait.node.name}: ${instances.length} of ${wanted} instances are there`);
  await Promise.all(instances.map((instance) => awaitInstance(wait, instance)));
  return instances;
}

async function awaitInstance(wait: AwaitReady, instance: ObservedInstance): Promise<void> {
  const { readiness, name } = wait.node;
  const deadlineMs = wait.nowMs() + readiness.withinMs;
  let inspectedMs = wait.nowMs();
  let current = instance;
  for (;;) {
    wait.signal.throwIfAborted();
    if (current.state === 'exited') throw await ended(wait, current);
    const wrong = await probe(wait.engine, current, readiness.probe, Math.min(firstProbeTimeoutMs, readiness.timeoutMs));
    if (wrong === undefined) return;
    if (wait.nowMs() > deadlineMs) {
      const output = await lastOutput(wait.engine, current.id);
      throw new CoppiceError('not-ready', `${name} did not become ready within ${readiness.withinMs / 1000} s: ${wrong}${output}`);
    }
    if (wait.nowMs() - inspectedMs > inspectEveryMs) {
      current = (await instancesOf(wait)).find((candidate) => candidate.id === instance.id) ?? { ...current, state: 'exited' };
      inspectedMs = wait.nowMs();
    }
    await pause(readiness.everyMs, undefined, { signal: wait.signal });
  }
}

async function instancesOf({ engine, ref }: AwaitReady): Promise<readonly ObservedInstance[]> {
  return (await engine.inspectGeneration(ref))?.instances ?? [];
}

/** The failure of an instance that ended before it was ready. */
export async function ended(wait: Pick<AwaitReady, 'engine' | 'node'>, instance: ObservedInstance): Promise<CoppiceError> {
  const cause = instance.outOfMemory
    ? `ran out of memory (it has ${Math.round(wait.node.resources.memoryBytes / 1024 / 1024)} MiB)`
    : `ended with exit code ${instance.exitCode ?? 'unknown'} before it was ready`;
  return new CoppiceError('not-ready', `${wait.node.name} ${cause}${await lastOutput(wait.engine, instance.id)}`);
}
