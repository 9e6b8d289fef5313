import { CoppiceError, type EnvironmentId, type JobKey, type ObservedJob } from '@coppice/model';
import type { JobSpec } from '../engine.ts';
import { removeContainer, startContainer, startFailure, waitStopped } from './container-lifecycle.ts';
import { environmentContainers, placeContainer, type ServerScope } from './environment-containers.ts';
import { thawContainer } from './environment-freezer.ts';
import { commonLabels, jobLabels, jobName, type Labels, labelNames } from './labels.ts';
import { type ContainerInspection, inspectContainer, inspectContainers, observeJob } from './observation.ts';

/** Processes that end, as containers that stay until their result was taken. */
export class DockerJobs {
  readonly #scope: ServerScope;

  constructor(scope: ServerScope) {
    this.#scope = scope;
  }

  /** Starts the job, or answers the one that runs or ended under its key. */
  async start(spec: JobSpec): Promise<ObservedJob> {
    const { connection, networks } = this.#scope;
    const [found] = await environmentContainers(this.#scope, spec.environment, this.#labels(spec.environment, spec.key));
    if (found !== undefined && found.State.Status !== 'created') return required(found);
    const [id] = found === undefined ? [await this.#create(spec)] : await Promise.all([found.Id, networks.refresh(spec.environment)]);
    try {
      await startContainer(connection, id);
    } catch (error) {
      throw startFailure(error, `job ${spec.key.hook} of ${spec.key.node}`);
    }
    const inspection = await inspectContainer(connection, id);
    if (inspection === undefined) throw new CoppiceError('engine-failed', `job ${spec.key.hook} was removed while it started`);
    return required(inspection);
  }

  #create(spec: JobSpec): Promise<string> {
    const { serverId } = this.#scope;
    const { environment, project, key } = spec;
    return placeContainer(this.#scope, {
      environment,
      node: key.node,
      name: jobName(serverId, environment, key),
      run: spec,
      labels: (address) => jobLabels(serverId, { ...key, environment, project, address }),
    });
  }

  /** Resolves when it has ended; `cancelled` by the signal, `not-found` where somebody removed it. */
  async wait(job: ObservedJob, signal: AbortSignal | undefined): Promise<ObservedJob> {
    const ended = await waitStopped(this.#scope.connection, job.id, signal ?? new AbortController().signal);
    if (!ended) throw new CoppiceError('cancelled', `waiting for job ${job.hook} of ${job.node} was called off`);
    const inspection = await inspectContainer(this.#scope.connection, job.id);
    if (inspection === undefined) throw new CoppiceError('not-found', `job ${job.hook} of ${job.node} is gone`);
    return required(inspection);
  }

  /** Kills and removes the job of that key, where there is one. */
  async remove(environment: EnvironmentId, key: JobKey): Promise<void> {
    const containers = await inspectContainers(this.#scope.connection, this.#labels(environment, key));
    await Promise.all(
      containers.map(async (container) => {
        await thawContainer(this.#scope.connection, container);
        await removeContainer(this.#scope.connection, container.Id);
        this.#scope.networks.reservations.release(environment, container.Config.Labels?.[labelNames.address] ?? '');
      }),
    );
  }

  #labels(environment: EnvironmentId, key: JobKey): Labels {
    return {
      ...commonLabels(this.#scope.serverId, 'job'),
      [labelNames.environment]: environment,
      [labelNames.node]: key.node,
      [labelNames.deployment]: key.deployment,
      [labelNames.hook]: key.hook,
    };
  }
}

function required(inspection: ContainerInspection): ObservedJob {
  const job = observeJob(inspection);
  if (job === undefined) throw new CoppiceError('internal', `container ${inspection.Id} has lost its labels`);
  return job;
}
