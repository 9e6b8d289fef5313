import type { Sandbox, SandboxResult, SandboxRun } from '../sandbox.ts';

/** A sandbox in memory: `runs` holds what was asked for. */
export interface SimulatedSandbox extends Sandbox {
  readonly runs: readonly SandboxRun[];
}

/** Answers each build by `behave`, which may print by `onOutput`, write to the mounts, or throw; without it all succeed. */
export function createSimulatedSandbox(
  behave: (build: SandboxRun) => SandboxResult | Promise<SandboxResult> = () => ({ exitCode: 0, outOfMemory: false }),
): SimulatedSandbox {
  const runs: SandboxRun[] = [];
  return {
    runs,
    async run(build) {
      build.signal?.throwIfAborted();
      runs.push(build);
      return await behave(build);
    },
    sweep: async () => undefined,
  };
}
