import type { Engine, JobSpec } from '@coppice/engine';
import { CoppiceError, type JobKey, type ObservedJob } from '@coppice/model';
import type { EnvironmentWork } from './environment-work.ts';

export interface RunJob {
  readonly engine: Engine;
  readonly work: EnvironmentWork;
  readonly spec: JobSpec;
  readonly signal: AbortSignal;
}

const tailLines = 50;

/**
 * Runs a job once: one that runs is adopted, one that ended is the result, one that is recorded as started and is not there was cut off
 * (`interrupted`). Its output goes to the log. Throws `job-failed` with exit code and last output.
 */
export async function runJob({ engine, work, spec, signal }: RunJob): Promise<void> {
  const { node, hook } = spec.key;
  const recorded = work.jobs().find((job) => job.node === node && job.hook === hook);
  if (recorded?.state === 'succeeded') return;
  if (recorded?.state === 'failed') throw new CoppiceError('job-failed', `the ${hook} hook of ${node} failed in this deployment`);
  const there = (await engine.inspect(spec.environment)).jobs.some((job) => sameKey(job, spec.key));
  if (recorded?.state === 'started' && !there) {
    throw new CoppiceError('interrupted', `the ${hook} hook of ${node} was cut off and may have half run`, {
      hint: 'push again, or redeploy, to run it anew',
    });
  }
  if (!recorded) work.recordJob({ node, hook, state: 'started', exitCode: undefined });
  const ended = await waitWithOutput({ engine, work, spec, signal }, await engine.startJob(spec));
  const succeeded = ended.exitCode === 0;
  work.recordJob({ node, hook, state: succeeded ? 'succeeded' : 'failed', exitCode: ended.exitCode });
  const output = succeeded ? '' : await lastLines(engine, ended.id);
  await engine.removeJob(spec.environment, spec.key);
  if (!succeeded)
    throw new CoppiceError(
      'job-failed',
      `the ${hook} hook of ${node} ${ended.outOfMemory ? 'ran out of memory' : `ended with exit code ${ended.exitCode}`}${output}`,
    );
}

async function waitWithOutput({ engine, work, spec, signal }: RunJob, job: ObservedJob): Promise<ObservedJob> {
  const stop = new AbortController();
  const output = (async () => {
    for await (const line of engine.logs(job.id, { follow: true, signal: stop.signal }))
      work.say(`${spec.key.node} ${spec.key.hook}: ${line.text}`);
  })();
  try {
    return await engine.waitJob(job, signal);
  } catch (error) {
    stop.abort();
    if (signal.aborted) await engine.removeJob(spec.environment, spec.key);
    throw error;
  } finally {
    await Promise.allSettled([output]);
  }
}

async function lastLines(engine: Engine, id: string): Promise<string> {
  const lines: string[] = [];
  for await (const line of engine.logs(id, { tail: tailLines })) lines.push(`  ${line.text}`);
  return lines.length === 0 ? '; it printed nothing' : `; its last output:\n${lines.join('\n')}`;
}

function sameKey(a: JobKey, b: JobKey): boolean {
  return a.deployment === b.deployment && a.node === b.node && a.hook === b.hook;
}
