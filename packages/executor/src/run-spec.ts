import type { HostMount, RunSpec } from '@coppice/engine';
import type { NodeSpec } from '@coppice/model';
import { keptMounts } from '@coppice/plan';
import type { Volumes } from '@coppice/volumes';
import type { EnvironmentWork } from './environment-work.ts';

/** How a process of the node runs. The CPU quota comes when the instance is ready, so that it does not slow the start. */
export async function runSpec(volumes: Volumes, work: EnvironmentWork, node: NodeSpec): Promise<RunSpec> {
  return {
    image: node.image,
    argv: node.argv,
    user: node.user,
    workingDirectory: node.workingDirectory,
    variables: work.variables(node),
    capabilities: node.capabilities,
    mounts: await mountsOf(volumes, work, node),
    tmpfs: [...node.tmpfs, ...node.mounts.filter((mount) => mount.source === 'tmp').map((mount) => mount.target)],
    hosts: work.hosts(node),
    resources: { cpu: 0, memoryBytes: node.resources.memoryBytes },
    stop: node.stop,
  };
}

/** The node's kept mounts on the host, made where they are missing. */
export async function mountsOf(volumes: Volumes, work: EnvironmentWork, node: NodeSpec): Promise<readonly HostMount[]> {
  return await Promise.all(
    keptMounts(node).map(async (mount) => {
      const hostPath = await volumes.ensure(
        { environment: work.environment, node: mount.node ?? node.name, volume: mount.volume },
        node.user,
      );
      return { target: mount.target, hostPath, readOnly: false };
    }),
  );
}
