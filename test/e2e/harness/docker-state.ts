import { mustRun, runProgram } from './run-program.ts';

/** What of a container must not change while nobody touches it. */
export interface ContainerState {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly restarts: number;
}

/** The part of `docker inspect` that tests look at. */
export interface Inspection {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: { readonly Pid: number; readonly StartedAt: string; readonly Running: boolean };
  readonly Config: { readonly Env: readonly string[]; readonly Labels: Readonly<Record<string, string>>; readonly Cmd: readonly string[] };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[];
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly CpuQuota: number;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string; readonly Gateway: string }>> };
}

/** All containers of a server as the engine describes them, by name. */
export async function inspectContainers(serverId: string): Promise<readonly Inspection[]> {
  const ids = await mustRun('docker', ['ps', '--all', '--quiet', '--no-trunc', '--filter', `label=coppice.server=${serverId}`]);
  const list = ids.split('\n').filter((id) => id !== '');
  if (list.length === 0) return [];
  const { code, stdout, stderr } = await runProgram('docker', ['inspect', '--type', 'container', ...list]);
  // Those that went between the two questions are not there.
  if (code !== 0 && !/^(?:Error(?: response from daemon)?: No such container: \w+\s*)+$/.test(stderr))
    throw new Error(`docker inspect failed: ${stderr}`);
  const found = JSON.parse(stdout) as Inspection[];
  return found.sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

/** Their state, by name. */
export async function containerStates(serverId: string): Promise<readonly ContainerState[]> {
  return (await inspectContainers(serverId)).map((container) => ({
    id: container.Id,
    name: container.Name,
    pid: container.State.Pid,
    startedAt: container.State.StartedAt,
    restarts: container.RestartCount,
  }));
}
