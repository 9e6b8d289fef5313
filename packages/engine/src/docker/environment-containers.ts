import type { EnvironmentId } from '@coppice/model';
import type { RunSpec } from '../engine.ts';
import type { EnvironmentNetworks } from '../network/environment-networks.ts';
import { containerConfig } from './container-config.ts';
import { createContainer } from './container-lifecycle.ts';
import type { DockerConnection } from './docker-connection.ts';
import { type Labels, labelNames, networkName } from './labels.ts';
import { type ContainerInspection, inspectEach, listContainers } from './observation.ts';

/** What belongs to one server on one engine. */
export interface ServerScope {
  readonly connection: DockerConnection;
  readonly networks: EnvironmentNetworks;
  readonly serverId: string;
}

/**
 * Those of an environment's containers that have these labels. What addresses all of them have, instances and jobs, is learnt on the way;
 * the others are not inspected: of many nodes that start, each looks.
 */
export async function environmentContainers(
  scope: ServerScope,
  environment: EnvironmentId,
  labels: Labels,
): Promise<readonly ContainerInspection[]> {
  const { reservations } = scope.networks;
  const mark = reservations.mark();
  const all = await listContainers(scope.connection, { [labelNames.server]: scope.serverId, [labelNames.environment]: environment });
  const listed = all.map(({ Labels: own }) => [own[labelNames.address] ?? '', own[labelNames.node] ?? ''] as const);
  reservations.learn(environment, new Map(listed), mark);
  const meant = all.filter(({ Labels: own }) => Object.entries(labels).every(([name, value]) => own[name] === value));
  return await inspectEach(scope.connection, meant);
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
