import { setTimeout as pause } from 'node:timers/promises';
import type { Engine, JobSpec } from '@coppice/engine';
import { CoppiceError, type JobKey, type ObservedJob } from '@coppice/model';
import type { EnvironmentWork } from './environment-work.ts';
import { lastOutput } from './last-output.ts';

export interface RunJob {
  readonly engine: Engine;
  readonly work: EnvironmentWork;
  readonly spec: JobSpec;
  readonly signal: AbortSignal;
  /** What its lines in the log begin with, e.g. `web deploy`. */
  readonly label: string;
  /** The job in words, e.g. `the deploy hook of web`. */
  readonly what: string;
  /** How to have it run again, for people. */
  readonly anew: string;
  /** After which it is killed and has failed; default one hour. */
  readonly timeoutMs?: number;
}

const hourMs = 3_600_000;
/** How long its output may lag behind its end. */
const outputLagMs = 2_000;

/**
 * Runs a job once: one that runs is adopted, one that ended is the result, one that is recorded as started and is not there was cut off
 * (`interrupted`). Its output goes to the log. Throws `job-failed` with exit code and last output.
 */
export async function runJob(run: RunJob): Promise<void> {
  const { engine, work, spec, what } = run;
  const { node, hook } = spec.key;
  const recorded = work.jobs().find((job) => job.node === node && job.hook === hook);
  if (recorded?.state === 'succeeded') return;
  if (recorded?.state === 'failed') throw new CoppiceError('job-failed', `${what} has failed already`, { hint: run.anew });
  const there = (await engine.members(spec.environment)).jobs.some((job) => sameKey(job, spec.key));
  if (recorded?.state === 'started' && !there) {
    throw new CoppiceError('interrupted', `${what} was cut off and may have half run`, { hint: run.anew });
  }
  // Recorded once it is there: whoever is killed in between finds it by its key, and one that never began is not taken for cut off.
  const job = await engine.startJob(spec);
  if (!recorded) work.recordJob({ node, hook, state: 'started', exitCode: undefined });
  const ended = await waitWithOutput(run, job);
  const succeeded = ended?.exitCode === 0;
  const output = succeeded ? '' : await lastOutput(engine, job.id);
  work.recordJob({ node, hook, state: succeeded ? 'succeeded' : 'failed', exitCode: ended?.exitCode });
  await engine.removeJob(spec.environment, spec.key);
  if (!succeeded) throw new CoppiceError('job-failed', `${what} ${endOf(ended, run)}${output}`, { hint: run.anew });
}

function endOf(ended: ObservedJob | undefined, { timeoutMs = hourMs }: RunJob): string {
  if (!ended) return `took longer than ${timeoutMs / 1000} s`;
  return ended.outOfMemory ? 'ran out of memory' : `ended with exit code ${ended.exitCode ?? 'unknown'}`;
}

/** The job when it ended; undefined when its time was over. */
async function waitWithOutput(
  { engine, work, spec, label, signal, timeoutMs = hourMs }: RunJob,
  job: ObservedJob,
): Promise<ObservedJob | undefined> {
  const stop = new AbortController();
  const timeout = AbortSignal.timeout(timeoutMs);
  const output = copyOutput({ engine, work, label }, job, stop.signal);
  try {
    const ended = await engine.waitJob(job, AbortSignal.any([signal, timeout]));
    await Promise.race([output, pause(outputLagMs, undefined, { ref: false })]);
    return ended;
  } catch (error) {
    if (signal.aborted) await engine.removeJob(spec.environment, spec.key);
    else if (timeout.aborted) return undefined;
    throw error;
  } finally {
    stop.abort();
  }
}

/** Never rejects: the job's result does not hang on its output. */
async function copyOutput(
  { engine, work, label }: Pick<RunJob, 'engine' | 'work' | 'label'>,
  job: ObservedJob,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const line of engine.logs(job.id, { follow: true, signal })) work.say(`${label}: ${line.text}`);
  } catch (error) {
    if (!signal.aborted) work.say(`${label}: output lost: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function sameKey(a: JobKey, b: JobKey): boolean {
  return a.deployment === b.deployment && a.node === b.node && a.hook === b.hook;
}
