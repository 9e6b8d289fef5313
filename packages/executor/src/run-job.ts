import type { Engine, JobSpec } from '@coppice/engine';
import { CoppiceError, type JobKey, type ObservedJob } from '@coppice/model';
import type { Volumes } from '@coppice/volumes';
import type { Clock } from './clock.ts';
import type { EnvironmentContext } from './environment-context.ts';
import { lastLines, outputLines } from './prober.ts';
import { runSpec } from './run-spec.ts';
import type { WorldView } from './world-view.ts';

interface Parts {
  readonly engine: Engine;
  readonly volumes: Volumes;
  readonly context: EnvironmentContext;
  readonly world: WorldView;
  readonly clock: Clock;
  readonly jobTimeoutMs: number;
}

/** How long output may lag behind the end of a job. */
const outputLagMs = 2_000;

/**
 * Runs a hook once per deployment: adopts the job where it runs or has ended, records how it ended, removes it. Throws `job-failed`,
 * also where that is recorded; `interrupted` where it was started and is gone, since it may have half done its work.
 */
export async function runJob(parts: Parts, hook: { readonly key: JobKey; readonly command: string }, signal: AbortSignal): Promise<void> {
  const { engine, context, world } = parts;
  const { key } = hook;
  const recorded = context.recordedJob(key.node, key.hook);
  if (recorded === 'succeeded') return;
  if (recorded === 'failed') throw new CoppiceError('job-failed', `the hook ${key.hook} of ${key.node} failed before in this deployment`);
  const listing = await world.look();
  const there = listing.jobs.some((job) => job.deployment === key.deployment && job.node === key.node && job.hook === key.hook);
  if (recorded === 'started' && !there) {
    context.recordJob({ node: key.node, hook: key.hook, state: 'failed', exitCode: undefined });
    throw new CoppiceError('interrupted', `the hook ${key.hook} of ${key.node} was cut off; it is not run twice in one deployment`);
  }
  const job = await engine.startJob(await jobSpec(parts, hook));
  context.recordJob({ node: key.node, hook: key.hook, state: 'started', exitCode: undefined });
  await world.applyPolicy();
  const ended = await followToEnd(parts, job, signal);
  const succeeded = ended?.exitCode === 0;
  context.recordJob({ node: key.node, hook: key.hook, state: succeeded ? 'succeeded' : 'failed', exitCode: ended?.exitCode });
  const failure = succeeded ? undefined : await jobFailure(parts, key, { job, ended });
  await engine.removeJob(context.environment, key);
  await world.applyPolicy();
  if (failure) throw failure;
}

async function jobSpec(
  { context, volumes, world }: Parts,
  { key, command }: { readonly key: JobKey; readonly command: string },
): Promise<JobSpec> {
  const spec = context.spec(key.node);
  const [network, listing] = await Promise.all([world.network(), world.look()]);
  const isLive = listing.generations.some(({ node, instances }) => node === key.node && instances.some(({ state }) => state === 'running'));
  // An exclusive volume is the live instance's alone.
  const mounts = spec.mounts.filter((mount) => !mount.exclusive || !isLive);
  return {
    ...runSpec({ context, volumes, network, spec, mounts }),
    argv: ['/bin/sh', '-c', command],
    environment: context.environment,
    project: context.project,
    key,
  };
}

/** The job once it ended, its output in the log; undefined where it took too long. */
async function followToEnd(parts: Parts, job: ObservedJob, signal: AbortSignal): Promise<ObservedJob | undefined> {
  const { engine, context, clock, jobTimeoutMs } = parts;
  const following = new AbortController();
  const timeout = new AbortController();
  const timer = clock.sleep(jobTimeoutMs, following.signal).then(
    () => timeout.abort(),
    () => undefined, // it ended in time
  );
  const output = copyOutput(parts, job, following.signal);
  try {
    const ended = await engine.waitJob(job, AbortSignal.any([signal, timeout.signal]));
    await Promise.race([output, clock.sleep(outputLagMs)]);
    return ended;
  } catch (error) {
    if (!timeout.signal.aborted) throw error;
    context.log(`${job.node} ${job.hook}: ended after ${jobTimeoutMs / 1000} s`);
    return undefined;
  } finally {
    following.abort();
    await timer;
  }
}

/** Copies the job's output to the log while it runs. Never rejects: the job's result does not depend on it. */
async function copyOutput({ engine, context }: Parts, job: ObservedJob, signal: AbortSignal): Promise<void> {
  try {
    for await (const { text } of engine.logs(job.id, { follow: true, signal })) context.log(`${job.node} ${job.hook}: ${text}`);
  } catch (error) {
    if (!signal.aborted) context.log(`${job.node} ${job.hook}: output lost (${error instanceof Error ? error.message : String(error)})`);
  }
}

async function jobFailure(
  { engine, jobTimeoutMs }: Parts,
  key: JobKey,
  { job, ended }: { readonly job: ObservedJob; readonly ended: ObservedJob | undefined },
): Promise<CoppiceError> {
  const why = ended
    ? ended.outOfMemory
      ? 'it ran out of memory'
      : `it ended with exit code ${ended.exitCode ?? 'unknown'}`
    : `it took longer than ${jobTimeoutMs / 1000} s`;
  const lines = outputLines(await lastLines(engine, job.id));
  return new CoppiceError('job-failed', [`the hook ${key.hook} of ${key.node} failed: ${why}`, ...lines].join('\n'));
}
