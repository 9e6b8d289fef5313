import type { EnvironmentId } from '@coppice/model';
import type { RunSpec } from '../engine.ts';
import type { EnvironmentNetworks } from '../network/environment-networks.ts';
import { containerConfig } from './container-config.ts';
import { createContainer } from './container-lifecycle.ts';
import type { DockerConnection } from './docker-connection.ts';
import { type Labels, labelNames, networkName } from './labels.ts';
import { type ContainerInspection, inspectContainers } from './observation.ts';

/** What belongs to one server on one engine. */
export interface ServerScope {
  readonly connection: DockerConnection;
  readonly networks: EnvironmentNetworks;
  readonly serverId: string;
}

/** All containers of an environment, instances and jobs; what addresses they have is learnt on the way. */
export async function environmentContainers(scope: ServerScope, environment: EnvironmentId): Promise<readonly ContainerInspection[]> {
  const { reservations } = scope.networks;
  const mark = reservations.mark();
  const containers = await inspectContainers(scope.connection, {
    [labelNames.server]: scope.serverId,
    [labelNames.environment]: environment,
  });
  const listed = containers.map(({ Config }) => {
    const { [labelNames.address]: address = '', [labelNames.node]: node = '' } = Config.Labels ?? {};
    return [address, node] as const;
  });
  reservations.learn(environment, new Map(listed), mark);
  return containers;
}

/** Creates a container at an address of its own; the rules for it stand when this resolves. Resolves with its id. */
export async function placeContainer(
  scope: ServerScope,
  place: {
    readonly environment: EnvironmentId;
    readonly node: string;
    readonly name: string;
    readonly run: RunSpec;
    readonly labels: (address: string) => Labels;
  },
): Promise<string> {
  const { networks } = scope;
  const { environment } = place;
  const { subnet } = await networks.get(environment);
  const address = networks.reservations.reserve(environment, subnet, place.node);
  const network = networkName(scope.serverId, environment);
  try {
    const config = containerConfig(place.run, { labels: place.labels(address), network, address });
    const [id] = await Promise.all([createContainer(scope.connection, place.name, config), networks.refresh(environment)]);
    networks.reservations.confirm(environment, address);
    return id;
  } catch (error) {
    networks.reservations.release(environment, address);
    throw error;
  }
}
