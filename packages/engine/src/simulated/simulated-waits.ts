import { CoppiceError, type EnvironmentId, type ObservedJob } from '@coppice/model';
import type { LogLine, LogOptions } from '../engine.ts';
import { observeJob, type SimulatedWorld } from './simulated-world.ts';

/** Resolves when the job has ended; `cancelled` by the signal, `not-found` where somebody removed it. */
export async function waitJob(world: SimulatedWorld, job: ObservedJob, signal: AbortSignal | undefined): Promise<ObservedJob> {
  const container = world.container(job.id);
  while (container.state === 'running') {
    if (signal?.aborted === true) throw new CoppiceError('cancelled', `waiting for job ${job.hook} of ${job.node} was called off`);
    await nextChange(world, container.environment, signal);
  }
  if (!world.containers.has(job.id)) throw new CoppiceError('not-found', `job ${job.hook} of ${job.node} is gone`);
  return observeJob(container, job);
}

function nextChange(
  world: SimulatedWorld,
  environment: EnvironmentId | undefined,
  signal: AbortSignal | undefined,
): Promise<EnvironmentId | undefined> {
  return new Promise((resolve) => {
    const end = (changed: EnvironmentId | undefined): void => {
      unwatch();
      signal?.removeEventListener('abort', onAbort);
      resolve(changed);
    };
    const onAbort = (): void => end(undefined);
    const unwatch = world.watch((changed) => {
      if (environment === undefined || changed === environment) end(changed);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
}

/** What it printed, and where that is followed: until it ends. */
export async function* readLog(world: SimulatedWorld, id: string, options: LogOptions): AsyncGenerator<LogLine> {
  const container = world.container(id);
  const since = options.since ?? '';
  const lines = container.log.filter((line) => line.time >= since);
  yield* options.tail === undefined ? lines : lines.slice(Math.max(0, lines.length - options.tail));
  while (options.follow === true && container.state === 'running' && options.signal?.aborted !== true) {
    await nextChange(world, container.environment, options.signal);
  }
}

/** The environment of each change, until the signal. */
export async function* readHints(world: SimulatedWorld, signal: AbortSignal): AsyncGenerator<EnvironmentId> {
  while (!signal.aborted) {
    const environment = await nextChange(world, undefined, signal);
    if (environment !== undefined) yield environment;
  }
}
