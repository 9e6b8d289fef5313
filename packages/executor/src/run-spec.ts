import type { EnvironmentNetwork, HostMount, RunSpec } from '@coppice/engine';
import type { MountSpec, NodeSpec } from '@coppice/model';
import type { Volumes } from '@coppice/volumes';
import type { EnvironmentContext } from './environment-context.ts';

interface RunRequest {
  readonly context: EnvironmentContext;
  readonly volumes: Pick<Volumes, 'path'>;
  readonly network: EnvironmentNetwork;
  readonly spec: NodeSpec;
  /** Which of its kept folders the process gets. */
  readonly mounts: readonly MountSpec[];
}

/** How a process of the node runs, whether instance or job. */
export function runSpec({ context, volumes, network, spec, mounts }: RunRequest): RunSpec {
  const { environment } = context;
  return {
    image: spec.image,
    argv: spec.argv,
    user: spec.user,
    workingDirectory: spec.workingDirectory,
    variables: context.variables(spec.name),
    capabilities: spec.capabilities,
    mounts: keptMounts(mounts).map(({ target, volume }): HostMount => {
      return { target, hostPath: volumes.path({ environment, node: spec.name, volume }), readOnly: false };
    }),
    tmpfs: [...new Set([...spec.tmpfs, ...mounts.filter((mount) => mount.source === 'tmp').map((mount) => mount.target)])],
    hosts: context.hosts(spec.name, network),
    resources: { cpu: spec.resources.cpu, memoryBytes: spec.resources.memoryBytes },
    stop: spec.stop,
  };
}

/** The mounts that outlive an instance. */
export function keptMounts(mounts: readonly MountSpec[]): readonly MountSpec[] {
  return mounts.filter((mount) => mount.source !== 'tmp');
}
