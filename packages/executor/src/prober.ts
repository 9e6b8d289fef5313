import type { Engine } from '@coppice/engine';
import { CoppiceError, type NodeSpec, type ObservedInstance } from '@coppice/model';
import type { Clock } from './clock.ts';
import { createProbe, describeProbe, type ProbeOnce } from './probe-once.ts';

/** Waits for instances to serve. */
export interface Prober {
  readonly once: ProbeOnce;
  /**
   * Resolves when the instance is ready. Throws `not-ready` with the reason as soon as it ended, or when it did not serve in time;
   * the signal's reason when aborted.
   */
  awaitReady(wait: ReadinessWait): Promise<void>;
}

export interface ReadinessWait {
  readonly instance: ObservedInstance;
  readonly spec: NodeSpec;
  /** The instance as it is now; undefined where it is gone. Asked a few times a second at most. */
  readonly look: () => Promise<ObservedInstance | undefined>;
  readonly signal?: AbortSignal;
}

/** How often the engine is asked whether the process still runs: a crash is told soon, and the engine is not kept busy. */
const lookEveryMs = 200;
const shownLines = 20;

/** The prober over an engine. */
export function createProber({ engine, clock }: { readonly engine: Pick<Engine, 'exec' | 'logs'>; readonly clock: Clock }): Prober {
  const once = createProbe(engine);
  return { once, awaitReady: (wait) => awaitReady({ engine, clock, once }, wait) };
}

interface Parts {
  readonly engine: Pick<Engine, 'logs'>;
  readonly clock: Clock;
  readonly once: ProbeOnce;
}

async function awaitReady(parts: Parts, { instance, spec, look, signal }: ReadinessWait): Promise<void> {
  const { clock, once } = parts;
  const { probe, everyMs, withinMs } = spec.readiness;
  const startedMs = clock.nowMs();
  let lookedMs = startedMs;
  for (;;) {
    signal?.throwIfAborted();
    const { ready, answer } = await once(instance, spec.readiness);
    const waitedMs = clock.nowMs() - startedMs;
    const longEnough = probe.kind !== 'alive' || waitedMs >= probe.forMs;
    if (ready && longEnough && probe.kind !== 'alive') return;
    if (longEnough || clock.nowMs() - lookedMs >= lookEveryMs) {
      const now = await look();
      lookedMs = clock.nowMs();
      if (now?.state !== 'running') throw await notReady(parts, { spec, id: instance.id, why: endOf(now), answer });
      if (ready && longEnough) return;
    }
    if (waitedMs >= withinMs) {
      throw await notReady(parts, { spec, id: instance.id, why: `it did not serve within ${withinMs / 1000} s`, answer });
    }
    await clock.sleep(everyMs, signal);
  }
}

/** How an instance ended, in words. */
export function endOf(instance: ObservedInstance | undefined): string {
  if (!instance) return 'its container is gone';
  if (instance.outOfMemory) return `it ran out of memory (limit ${Math.round(instance.memoryBytes / 1024 / 1024)}M)`;
  return instance.state === 'exited' ? `it ended with exit code ${instance.exitCode ?? 'unknown'}` : 'it was never started';
}

async function notReady(
  { engine }: Pick<Parts, 'engine'>,
  failure: { readonly spec: NodeSpec; readonly id: string; readonly why: string; readonly answer: string },
): Promise<CoppiceError> {
  const { spec, id, why, answer } = failure;
  const lines = await lastLines(engine, id);
  const first = `${spec.name} did not become ready: ${why} (probe: ${describeProbe(spec.readiness)}; last answer: ${answer})`;
  return new CoppiceError('not-ready', [first, ...outputLines(lines)].join('\n'));
}

/** The last 20 lines an instance or job wrote; what is wrong with reading them stands in their place. */
export async function lastLines(engine: Pick<Engine, 'logs'>, id: string): Promise<readonly string[]> {
  const lines: string[] = [];
  try {
    for await (const { text } of engine.logs(id, { tail: shownLines })) lines.push(text);
  } catch (error) {
    return [`(its output could not be read: ${error instanceof Error ? error.message : String(error)})`];
  }
  return lines.slice(-shownLines);
}

/** Output below a heading, as part of a message. */
export function outputLines(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ['it wrote nothing'] : ['its last output:', ...lines.map((line) => `  ${line}`)];
}
