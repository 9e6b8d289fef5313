import { CoppiceError, isCoppiceError, type ObservedGeneration, type ObservedInstance, type Resources } from '@coppice/model';
import type { GenerationRef, GenerationSpec, StopSpec } from '../engine.ts';
import type { EnvironmentNetworks } from '../network/environment-networks.ts';
import { containerConfig, memoryAndCpu } from './container-config.ts';
import { createContainer, removeContainer, startContainer, stopAndRemove } from './container-lifecycle.ts';
import { type DockerConnection, unlessStatus } from './docker-connection.ts';
import { commonLabels, instanceLabels, instanceName, type Labels, labelNames, networkName, parseInstanceLabels } from './labels.ts';
import { type ContainerInspection, inspectContainer, inspectContainers, observeInstance } from './observation.ts';

/** Instances of nodes as plain containers. */
export class DockerGenerations {
  readonly #connection: DockerConnection;
  readonly #networks: EnvironmentNetworks;
  readonly #serverId: string;

  constructor(connection: DockerConnection, networks: EnvironmentNetworks, serverId: string) {
    this.#connection = connection;
    this.#networks = networks;
    this.#serverId = serverId;
  }

  /** Starts what is missing; instances that exited are replaced. Their rules stand before their processes run. */
  async start(spec: GenerationSpec): Promise<ObservedGeneration> {
    const [network, existing] = await Promise.all([this.#networks.get(spec.environment), this.#environmentContainers(spec)]);
    for (const inspection of existing) {
      const labels = inspection.Config.Labels ?? {};
      this.#networks.reservations.note(spec.environment, labels[labelNames.address] ?? '', labels[labelNames.node] ?? '');
    }
    const mine = existing.filter((inspection) => isOf(inspection, spec));
    const wanted = Array.from({ length: spec.instances }, (_, index) => index);
    const starts = wanted.map((index) => {
      const found = mine.find((inspection) => parseInstanceLabels(inspection.Config.Labels ?? {})?.index === index);
      return this.#startInstance(spec, index, found, network.subnet);
    });
    // All are given their time, so that a failure leaves nothing that starts behind the caller's back.
    const settled = await Promise.allSettled(starts);
    const instances: ObservedInstance[] = [];
    for (const result of settled) {
      if (result.status === 'rejected') throw result.reason;
      instances.push(result.value);
    }
    return { node: spec.node, digest: spec.digest, deployment: spec.deployment, instances };
  }

  #environmentContainers(ref: GenerationRef): Promise<readonly ContainerInspection[]> {
    return inspectContainers(this.#connection, {
      [labelNames.server]: this.#serverId,
      [labelNames.environment]: ref.environment,
    });
  }

  async #startInstance(
    spec: GenerationSpec,
    index: number,
    found: ContainerInspection | undefined,
    subnet: string,
  ): Promise<ObservedInstance> {
    const status = found?.State.Status;
    if (found !== undefined && (status === 'running' || status === 'paused')) return observeInstance(found, index);
    if (found !== undefined && status !== 'created') {
      await removeContainer(this.#connection, found.Id);
      this.#networks.reservations.release(spec.environment, found.Config.Labels?.[labelNames.address] ?? '');
    }
    const kept = status === 'created' ? found : undefined;
    const address = kept?.Config.Labels?.[labelNames.address] ?? this.#networks.reservations.reserve(spec.environment, subnet, spec.node);
    const [id] = await Promise.all([
      kept === undefined ? this.#create(spec, index, address) : kept.Id,
      this.#networks.refresh(spec.environment),
    ]);
    try {
      await startContainer(this.#connection, id);
    } catch (error) {
      throw startFailure(error, `${spec.node}.${index}`);
    }
    const inspection = await inspectContainer(this.#connection, id);
    if (inspection === undefined) throw new CoppiceError('engine-failed', `${spec.node}.${index} was removed while it started`);
    return observeInstance(inspection, index);
  }

  async #create(spec: GenerationSpec, index: number, address: string): Promise<string> {
    const labels = instanceLabels(this.#serverId, { ...spec, index, address });
    const name = instanceName(this.#serverId, spec, index);
    try {
      return await createContainer(
        this.#connection,
        name,
        containerConfig(spec, { labels, network: networkName(this.#serverId, spec.environment), address }),
      );
    } catch (error) {
      this.#networks.reservations.release(spec.environment, address);
      throw error;
    }
  }

  /** Applies memory and CPU to all instances; 0 CPU takes the quota away. */
  async resize(ref: GenerationRef, resources: Pick<Resources, 'cpu' | 'memoryBytes'>): Promise<void> {
    const instances = await inspectContainers(this.#connection, this.#labels(ref));
    await Promise.all(
      instances.map((instance) =>
        unlessStatus(
          [404],
          this.#connection.json({
            method: 'POST',
            path: `/containers/${instance.Id}/update`,
            body: memoryAndCpu(resources),
            repeatable: true,
          }),
        ),
      ),
    );
  }

  /** Stops and removes all instances of the generation. */
  async stop(ref: GenerationRef, stop: StopSpec): Promise<void> {
    await this.#remove(await inspectContainers(this.#connection, this.#labels(ref)), stop);
  }

  /** Stops and removes instances by id; `not-allowed` for a container that is none of the environment's. */
  async removeInstances(environment: GenerationRef['environment'], ids: readonly string[], stop: StopSpec): Promise<void> {
    const found = await Promise.all(ids.map((id) => inspectContainer(this.#connection, id)));
    const instances = found.filter((inspection) => inspection !== undefined);
    for (const { Id, Config } of instances) {
      if (Config.Labels?.[labelNames.server] === this.#serverId && Config.Labels[labelNames.environment] === environment) continue;
      throw new CoppiceError('not-allowed', `the container ${Id.slice(0, 12)} is not of the environment ${environment}`);
    }
    await this.#remove(instances, stop);
  }

  async #remove(instances: readonly ContainerInspection[], stop: StopSpec): Promise<void> {
    await Promise.all(
      instances.map(async ({ Id, Config }) => {
        await stopAndRemove(this.#connection, Id, stop);
        const { [labelNames.environment]: environment = '', [labelNames.address]: address = '' } = Config.Labels ?? {};
        this.#networks.reservations.release(environment, address);
      }),
    );
  }

  #labels(ref: GenerationRef): Labels {
    return {
      ...commonLabels(this.#serverId, 'instance'),
      [labelNames.environment]: ref.environment,
      [labelNames.node]: ref.node,
      [labelNames.digest]: ref.digest,
    };
  }
}

function isOf(inspection: ContainerInspection, ref: GenerationRef): boolean {
  const labels = parseInstanceLabels(inspection.Config.Labels ?? {});
  return labels?.node === ref.node && labels.digest === ref.digest;
}

/** A failed start in words that name what could not start. */
export function startFailure(error: unknown, what: string): unknown {
  if (!isCoppiceError(error, 'engine-failed')) return error;
  return new CoppiceError('engine-failed', `${what} cannot start: ${error.message.replace(/^container engine: /, '')}`, { cause: error });
}
