import type { EnvironmentSpec, NodeName, NodeSpec } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { Ports } from '../ports.ts';
import type { KeptVolume } from '../release/data-gate.ts';

/** The volumes an environment has on disk, each with the node it was made for as a deployment last declared it. */
export async function keptVolumes(ports: Pick<Ports, 'store' | 'volumes'>, environment: EnvironmentRecord): Promise<readonly KeptVolume[]> {
  const volumes = (await ports.volumes.inspect(environment.id)).filter(({ node }) => !isDetached(node));
  if (volumes.length === 0) return [];
  const owners = new Map<NodeName, NodeSpec | undefined>();
  for (const { node } of volumes) if (!owners.has(node)) owners.set(node, lastDeclared(ports, environment, node));
  const live = servedSpec(ports, environment);
  return volumes.map(({ node, volume }) => ({ node, volume, owner: owners.get(node), attached: !live || mounts(live, { node, volume }) }));
}

/** Folders of the set, what was put aside included, each with the node it was last declared for. */
export async function heldFolders(
  ports: Pick<Ports, 'store' | 'volumes'>,
  environment: EnvironmentRecord,
): Promise<ReadonlyMap<string, NodeSpec | undefined>> {
  const volumes = await ports.volumes.inspect(environment.id);
  return new Map([...new Set(volumes.map(({ node }) => node))].map((node) => [node, lastDeclared(ports, environment, node)]));
}

/** Whether a folder holds what was a node's and belongs to none any more. */
export function isDetached(folder: string): boolean {
  return folder.includes('~');
}

function servedSpec({ store }: Pick<Ports, 'store'>, environment: EnvironmentRecord): EnvironmentSpec | undefined {
  const digest = environment.live && store.deployments.specOf(environment.live);
  return digest ? store.releases.getSpec(digest) : undefined;
}

function mounts(spec: EnvironmentSpec, { node, volume }: Pick<KeptVolume, 'node' | 'volume'>): boolean {
  return spec.nodes.some((each) => each.mounts.some((mount) => (mount.node ?? each.name) === node && mount.volume === volume));
}

/** A node as a deployment last declared it; undefined for what was put aside, and where no record is left. */
export function lastDeclared({ store }: Pick<Ports, 'store'>, environment: EnvironmentRecord, node: string): NodeSpec | undefined {
  const deployments = store.deployments.list(environment.id);
  // What a deployment that failed began to write is in the volume, too; what served goes before it.
  const served = deployments.filter((deployment) => deployment.status === 'succeeded');
  for (const deployment of [...served, ...deployments]) {
    const digest = store.deployments.specOf(deployment.id);
    const found = digest && store.releases.getSpec(digest)?.nodes.find((candidate) => candidate.name === node);
    if (found) return found;
  }
  return undefined;
}
