import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResolvedType } from '@coppice/catalog';
import type { Sandbox, SandboxResult } from '@coppice/engine';
import { CoppiceError, type ImagePin, isCoppiceError } from '@coppice/model';
import type { BuildDisk } from '../disk/build-disk.ts';
import type { Step } from './build-key.ts';
import type { BuildLimits } from './build-limits.ts';
import { limitHint } from './configured-limits.ts';
import type { HostSettings } from './host-settings.ts';
import { StepOutput } from './step-output.ts';

/** What all steps of one build share. */
export interface StepSetting {
  readonly sandbox: Sandbox;
  readonly image: ImagePin;
  readonly type: ResolvedType;
  readonly variables: Readonly<Record<string, string>>;
  readonly host: HostSettings;
  readonly limits: BuildLimits;
  /** Holds /app and /var/tmp. */
  readonly scratch: BuildDisk;
  /** Holds the package caches; undefined where the type has none. */
  readonly cache: BuildDisk | undefined;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface NumberedStep extends Step {
  /** Counts from 1, as the file does. */
  readonly number: number;
}

const diskLookMs = 200;
/** What shells and runtimes print where the kernel lets them start no further process: it tells nobody else. */
const noMoreProcesses = /cannot fork|fork: (?:retry|resource)|resource temporarily unavailable|\bEAGAIN\b|can't start new thread/i;

/** The folder of the scratch disk that is /app in the sandbox, made if missing. */
export async function applicationFolder(setting: Pick<StepSetting, 'scratch' | 'type'>): Promise<string> {
  return ownFolder(join(setting.scratch.path, 'app'), setting.type, 0o755);
}

/** Runs one step in the sandbox. Throws `build-failed`, `build-limit` or `cancelled`, with the step and its last output. */
export async function runStep(step: NumberedStep, setting: StepSetting): Promise<void> {
  const output = new StepOutput(setting.onProgress, setting.host.secrets);
  const watch = watchDisks(setting);
  try {
    const signal = AbortSignal.any([setting.signal, watch.filled]);
    const result = await runInSandbox(step, setting, output, signal);
    if (await watch.full()) throw diskFull(step, setting, output);
    refuseFailure(step, setting, result, output);
  } catch (error) {
    if (setting.signal.aborted) throw setting.signal.reason;
    if (watch.filled.aborted && !isCoppiceError(error, 'build-failed')) throw diskFull(step, setting, output);
    throw error;
  } finally {
    await watch.stop();
  }
}

async function runInSandbox(step: NumberedStep, setting: StepSetting, output: StepOutput, signal: AbortSignal): Promise<SandboxResult> {
  const { type, scratch, cache, host, limits } = setting;
  const caches = Object.entries(type.build?.caches ?? {});
  const cacheMounts = await Promise.all(
    caches.map(async ([target], index) => ({
      target,
      hostPath: await ownFolder(join(cache?.path ?? scratch.path, `cache-${index}`), type, 0o755),
      readOnly: false,
    })),
  );
  const run = {
    image: setting.image,
    argv: ['/bin/sh', '-ec', step.run],
    user: `${type.user.uid}:${type.user.gid}`,
    workingDirectory: '/app',
    variables: {
      ...host.variables,
      // a tmpfs of the sandbox's own, which counts as memory; what is large goes to the disk
      HOME: '/tmp',
      TMPDIR: '/var/tmp',
      ...Object.fromEntries(caches.map(([target, variable]) => [variable, target])),
      ...setting.variables,
    },
    mounts: [
      { target: '/app', hostPath: await applicationFolder(setting), readOnly: false },
      { target: '/var/tmp', hostPath: await ownFolder(join(scratch.path, 'tmp'), type, 0o1777), readOnly: false },
      ...cacheMounts,
      ...host.mounts,
    ],
    limits: {
      timeMs: limits.timeMs,
      memoryBytes: limits.memoryBytes,
      cpu: limits.cpu,
      processes: limits.processes,
      outputBytes: limits.outputBytes,
    },
    onOutput: output.add,
    signal,
  };
  try {
    return await setting.sandbox.run(run);
  } catch (error) {
    if (!isCoppiceError(error, 'build-limit')) throw error;
    throw new CoppiceError('build-limit', report(step, error.message, output), { cause: error, hint: limitHint });
  }
}

function refuseFailure(step: NumberedStep, setting: StepSetting, result: SandboxResult, output: StepOutput): void {
  if (result.outOfMemory) {
    const what = `used more than ${megabytes(setting.limits.memoryBytes)} of memory`;
    throw new CoppiceError('build-limit', report(step, what, output), { hint: limitHint });
  }
  if (result.exitCode !== 0 && output.tail().some((line) => noMoreProcesses.test(line))) {
    const what = `failed with exit code ${result.exitCode}; a build may have at most ${setting.limits.processes} processes and threads`;
    throw new CoppiceError('build-limit', report(step, what, output), { hint: limitHint });
  }
  if (result.exitCode !== 0) throw new CoppiceError('build-failed', report(step, `failed with exit code ${result.exitCode}`, output));
}

function diskFull(step: NumberedStep, setting: StepSetting, output: StepOutput): CoppiceError {
  const size = megabytes(setting.scratch.capacityBytes);
  return new CoppiceError(
    'build-limit',
    report(step, `wrote more than the ${size} of disk that a build or its package cache may use`, output),
    { hint: limitHint },
  );
}

/** What a person reads: which step, what happened, the last lines. */
function report(step: NumberedStep, what: string, output: StepOutput): string {
  const lines = output.tail().map((line) => `    ${line}`);
  return [`${stepTitle(step)} ${what}`, ...lines].join('\n');
}

/** How failures name a step: its number and the beginning of its command. */
export function stepTitle(step: NumberedStep): string {
  return `build step ${step.number} (${step.run.length > 200 ? `${step.run.slice(0, 200)} …` : step.run})`;
}

/** Looks now and then, so that a build which fills its disk ends at once instead of trying on. */
function watchDisks(setting: StepSetting): { readonly filled: AbortSignal; full(): Promise<boolean>; stop(): Promise<void> } {
  const controller = new AbortController();
  const disks = setting.cache ? [setting.scratch, setting.cache] : [setting.scratch];
  const full = async (): Promise<boolean> => (await Promise.all(disks.map((disk) => disk.isFull()))).includes(true);
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;
  const look = async (): Promise<void> => {
    if (!stopped && (await full())) controller.abort(new CoppiceError('build-limit', 'the disk is full'));
  };
  const timer = setInterval(() => {
    // one look at a time; a disk that cannot be looked at counts as full, since nothing else would bound it
    looking = looking.then(look).catch((error: unknown) => controller.abort(error));
  }, diskLookMs);
  return {
    filled: controller.signal,
    full: async () => controller.signal.aborted || (await full()),
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await looking;
    },
  };
}

async function ownFolder(path: string, type: ResolvedType, mode: number): Promise<string> {
  if ((await mkdir(path, { recursive: true })) !== undefined) {
    await chmod(path, mode);
    await chown(path, type.user.uid, type.user.gid);
  }
  return path;
}

function megabytes(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes >= 1024 && mebibytes % 1024 === 0 ? `${mebibytes / 1024} GiB` : `${Math.round(mebibytes)} MiB`;
}
