import { CoppiceError, type ObservedGeneration, type ObservedInstance, type Resources } from '@coppice/model';
import type { GenerationRef, GenerationSpec, StopSpec } from '../engine.ts';
import { memoryAndCpu } from './container-config.ts';
import { startContainer, startFailure, stopAndRemove } from './container-lifecycle.ts';
import { unlessStatus } from './docker-connection.ts';
import { environmentContainers, placeContainer, type ServerScope } from './environment-containers.ts';
import { thawContainer } from './environment-freezer.ts';
import { commonLabels, instanceLabels, instanceName, type Labels, labelNames, parseInstanceLabels } from './labels.ts';
import {
  type ContainerInspection,
  inspectContainer,
  inspectContainers,
  listContainers,
  observeContainers,
  observeInstance,
} from './observation.ts';

/** Instances of nodes as plain containers. */
export class DockerGenerations {
  readonly #scope: ServerScope;

  constructor(scope: ServerScope) {
    this.#scope = scope;
  }

  /** What is there of the generation. */
  async inspect(ref: GenerationRef): Promise<ObservedGeneration | undefined> {
    return observeContainers(await inspectContainers(this.#scope.connection, this.#labels(ref))).generations[0];
  }

  /** Starts what is missing; instances that exited are replaced. Their rules stand before their processes run. */
  async start(spec: GenerationSpec): Promise<ObservedGeneration> {
    const mine = await environmentContainers(this.#scope, spec.environment, this.#labels(spec));
    const starts = Array.from({ length: spec.instances }, (_, index) => {
      const found = mine.find((inspection) => parseInstanceLabels(inspection.Config.Labels ?? {})?.index === index);
      return this.#startInstance(spec, index, found);
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

  async #startInstance(spec: GenerationSpec, index: number, found: ContainerInspection | undefined): Promise<ObservedInstance> {
    const { connection, networks } = this.#scope;
    const status = found?.State.Status;
    if (found !== undefined && (status === 'running' || status === 'paused')) return observeInstance(found, index);
    if (found !== undefined && status !== 'created') await this.#remove([found], { signal: 'SIGKILL', graceMs: 0 });
    const [id] =
      found !== undefined && status === 'created'
        ? await Promise.all([found.Id, networks.refresh(spec.environment)])
        : [await this.#create(spec, index)];
    try {
      await startContainer(connection, id);
    } catch (error) {
      throw startFailure(error, `${spec.node}.${index}`);
    }
    const inspection = await inspectContainer(connection, id);
    if (inspection === undefined) throw new CoppiceError('engine-failed', `${spec.node}.${index} was removed while it started`);
    return observeInstance(inspection, index);
  }

  #create(spec: GenerationSpec, index: number): Promise<string> {
    const { serverId } = this.#scope;
    return placeContainer(this.#scope, {
      environment: spec.environment,
      node: spec.node,
      name: instanceName(serverId, spec, index),
      run: spec,
      labels: (address) => instanceLabels(serverId, { ...spec, index, address }),
    });
  }

  /** Applies memory and CPU to all instances; 0 CPU takes the quota away. */
  async resize(ref: GenerationRef, resources: Pick<Resources, 'cpu' | 'memoryBytes'>): Promise<void> {
    const instances = await listContainers(this.#scope.connection, this.#labels(ref));
    await Promise.all(
      instances.map((instance) =>
        unlessStatus(
          [404],
          this.#scope.connection.json({
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
    await this.#remove(await inspectContainers(this.#scope.connection, this.#labels(ref)), stop);
  }

  /** Stops and removes instances by id; `not-allowed` for a container that is none of the environment's. */
  async removeInstances(environment: GenerationRef['environment'], ids: readonly string[], stop: StopSpec): Promise<void> {
    const found = await Promise.all(ids.map((id) => inspectContainer(this.#scope.connection, id)));
    const instances = found.filter((inspection) => inspection !== undefined);
    for (const { Id, Config } of instances) {
      if (Config.Labels?.[labelNames.server] === this.#scope.serverId && Config.Labels[labelNames.environment] === environment) continue;
      throw new CoppiceError('not-allowed', `the container ${Id.slice(0, 12)} is not of the environment ${environment}`);
    }
    await this.#remove(instances, stop);
  }

  async #remove(instances: readonly ContainerInspection[], stop: StopSpec): Promise<void> {
    await Promise.all(
      instances.map(async (instance) => {
        await thawContainer(this.#scope.connection, instance);
        await stopAndRemove(this.#scope.connection, instance.Id, stop);
        const { [labelNames.environment]: environment = '', [labelNames.address]: address = '' } = instance.Config.Labels ?? {};
        this.#scope.networks.reservations.release(environment, address);
      }),
    );
  }

  #labels(ref: GenerationRef): Labels {
    return {
      ...commonLabels(this.#scope.serverId, 'instance'),
      [labelNames.environment]: ref.environment,
      [labelNames.node]: ref.node,
      [labelNames.digest]: ref.digest,
    };
  }
}
