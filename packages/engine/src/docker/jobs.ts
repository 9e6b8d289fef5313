import { CoppiceError, type EnvironmentId, type JobKey, type ObservedJob } from '@coppice/model';
import type { JobSpec } from '../engine.ts';
import type { EnvironmentNetworks } from '../network/environment-networks.ts';
import { containerConfig } from './container-config.ts';
import { createContainer, removeContainer, startContainer, waitStopped } from './container-lifecycle.ts';
import type { DockerConnection } from './docker-connection.ts';
import { startFailure } from './generations.ts';
import { commonLabels, jobLabels, jobName, type Labels, labelNames, networkName } from './labels.ts';
import { type ContainerInspection, inspectContainer, inspectContainers, observeJob } from './observation.ts';

/** Processes that end, as containers that stay until their result was taken. */
export class DockerJobs {
  readonly #connection: DockerConnection;
  readonly #networks: EnvironmentNetworks;
  readonly #serverId: string;

  constructor(connection: DockerConnection, networks: EnvironmentNetworks, serverId: string) {
    this.#connection = connection;
    this.#networks = networks;
    this.#serverId = serverId;
  }

  /** Starts the job, or answers the one that runs or ended under its key. */
  async start(spec: JobSpec): Promise<ObservedJob> {
    const [network, containers] = await Promise.all([
      this.#networks.get(spec.environment),
      inspectContainers(this.#connection, {
        [labelNames.server]: this.#serverId,
        [labelNames.environment]: spec.environment,
      }),
    ]);
    for (const { Config } of containers) {
      const labels = Config.Labels ?? {};
      this.#networks.reservations.note(spec.environment, labels[labelNames.address] ?? '', labels[labelNames.node] ?? '');
    }
    const found = containers.find((inspection) => hasKey(inspection, spec.key));
    if (found !== undefined && found.State.Status !== 'created') return required(found);
    const address =
      found?.Config.Labels?.[labelNames.address] ?? this.#networks.reservations.reserve(spec.environment, network.subnet, spec.key.node);
    const [id] = await Promise.all([
      found === undefined ? this.#create(spec, address) : found.Id,
      this.#networks.refresh(spec.environment),
    ]);
    try {
      await startContainer(this.#connection, id);
    } catch (error) {
      throw startFailure(error, `job ${spec.key.hook} of ${spec.key.node}`);
    }
    const inspection = await inspectContainer(this.#connection, id);
    if (inspection === undefined) throw new CoppiceError('engine-failed', `job ${spec.key.hook} was removed while it started`);
    return required(inspection);
  }

  #create(spec: JobSpec, address: string): Promise<string> {
    const { environment, project, key } = spec;
    const labels = jobLabels(this.#serverId, { ...key, environment, project, address });
    return createContainer(
      this.#connection,
      jobName(this.#serverId, environment, key),
      containerConfig(spec, { labels, network: networkName(this.#serverId, environment), address }),
    );
  }

  /** Resolves when it has ended; `cancelled` by the signal, `not-found` where somebody removed it. */
  async wait(job: ObservedJob, signal: AbortSignal | undefined): Promise<ObservedJob> {
    const ended = await waitStopped(this.#connection, job.id, signal ?? new AbortController().signal);
    if (!ended) throw new CoppiceError('cancelled', `waiting for job ${job.hook} of ${job.node} was called off`);
    const inspection = await inspectContainer(this.#connection, job.id);
    if (inspection === undefined) throw new CoppiceError('not-found', `job ${job.hook} of ${job.node} is gone`);
    return required(inspection);
  }

  /** Kills and removes the job of that key, where there is one. */
  async remove(environment: EnvironmentId, key: JobKey): Promise<void> {
    const containers = await inspectContainers(this.#connection, this.#labels(environment, key));
    await Promise.all(
      containers.map(async ({ Id, Config }) => {
        await removeContainer(this.#connection, Id);
        this.#networks.reservations.release(environment, Config.Labels?.[labelNames.address] ?? '');
      }),
    );
  }

  #labels(environment: EnvironmentId, key: JobKey): Labels {
    return {
      ...commonLabels(this.#serverId, 'job'),
      [labelNames.environment]: environment,
      [labelNames.node]: key.node,
      [labelNames.deployment]: key.deployment,
      [labelNames.hook]: key.hook,
    };
  }
}

function hasKey(inspection: ContainerInspection, key: JobKey): boolean {
  const job = observeJob(inspection);
  return job?.node === key.node && job.deployment === key.deployment && job.hook === key.hook;
}

function required(inspection: ContainerInspection): ObservedJob {
  const job = observeJob(inspection);
  if (job === undefined) throw new CoppiceError('internal', `container ${inspection.Id} has lost its labels`);
  return job;
}
