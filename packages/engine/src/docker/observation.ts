import type { EnvironmentId, JobKey, ListedGeneration, ListedInstance, ListedJob, ObservedInstance, ObservedJob } from '@coppice/model';
import type { EngineListing, NetworkMembers } from '../engine.ts';
import { type DockerConnection, unlessStatus } from './docker-connection.ts';
import { type Labels, labelFilter, labelNames, parseInstanceLabels, parseJobLabels } from './labels.ts';

/** What we read of a container's inspection. */
export interface ContainerInspection {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
    readonly Pid: number;
    readonly Error: string;
  };
  readonly HostConfig: { readonly Memory: number; readonly CpuQuota: number; readonly CpuPeriod: number };
  readonly Config: { readonly Labels: Labels | null };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> | null };
}

/** One container of the list call. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Labels;
  readonly State: string;
  readonly NetworkSettings: ContainerInspection['NetworkSettings'] | null;
}

/** All containers that have these labels, stopped ones too. */
export function listContainers(connection: DockerConnection, labels: Labels): Promise<readonly ContainerSummary[]> {
  return connection.json({ method: 'GET', path: '/containers/json', query: { all: 'true', filters: labelFilter(labels) } });
}

/** The container's inspection, or undefined where it is gone. */
export function inspectContainer(connection: DockerConnection, id: string): Promise<ContainerInspection | undefined> {
  return unlessStatus([404], connection.json<ContainerInspection>({ method: 'GET', path: `/containers/${id}/json` }));
}

/** Inspections of all containers with these labels; those that vanish meanwhile are left out. */
export async function inspectContainers(connection: DockerConnection, labels: Labels): Promise<readonly ContainerInspection[]> {
  return await inspectEach(connection, await listContainers(connection, labels));
}

/** Inspections of what was listed; those that vanished meanwhile are left out. */
export async function inspectEach(
  connection: DockerConnection,
  summaries: readonly ContainerSummary[],
): Promise<readonly ContainerInspection[]> {
  const inspections = await Promise.all(summaries.map((summary) => inspectContainer(connection, summary.Id)));
  return inspections.filter((inspection) => inspection !== undefined);
}

/** The instance as the port shows it. */
export function observeInstance(inspection: ContainerInspection, index: number): ObservedInstance {
  const { State: state, HostConfig: host } = inspection;
  const instanceState = observeState(state.Status);
  return {
    ...place(inspection.Id, state.Status, inspection.NetworkSettings),
    index,
    exitCode: instanceState === 'exited' ? state.ExitCode : undefined,
    outOfMemory: state.OOMKilled,
    cpu: host.CpuQuota > 0 && host.CpuPeriod > 0 ? host.CpuQuota / host.CpuPeriod : 0,
    memoryBytes: host.Memory,
    startedAt: state.StartedAt.startsWith('0001-') ? undefined : state.StartedAt,
    readiness: 'unknown',
  };
}

/** The job as the port shows it, or undefined where the labels describe none. */
export function observeJob(inspection: ContainerInspection): ObservedJob | undefined {
  const labels = parseJobLabels(inspection.Config.Labels ?? {});
  if (labels === undefined) return undefined;
  const at = place(inspection.Id, inspection.State.Status, inspection.NetworkSettings);
  return {
    ...jobKey(labels),
    ...at,
    exitCode: at.state === 'exited' ? inspection.State.ExitCode : undefined,
    outOfMemory: inspection.State.OOMKilled,
  };
}

function jobKey({ deployment, node, hook }: JobKey): JobKey {
  return { deployment, node, hook };
}

function place(
  id: string,
  status: string,
  settings: ContainerSummary['NetworkSettings'],
): Pick<ObservedInstance, 'id' | 'state' | 'address'> {
  const state = observeState(status);
  const address = Object.values(settings?.Networks ?? {})[0]?.IPAddress;
  return { id, state, address: state === 'running' && address !== '' ? address : undefined };
}

function observeState(status: string): ObservedInstance['state'] {
  if (status === 'created') return 'created';
  return status === 'running' || status === 'paused' || status === 'restarting' ? 'running' : 'exited';
}

/** Containers grouped into generations (by node, then digest) and jobs, each in a fixed order. */
export function observeContainers(inspections: readonly ContainerInspection[]): Omit<EngineListing, 'network'> {
  return grouped(inspections, {
    labels: ({ Config }) => Config.Labels ?? {},
    instance: observeInstance,
    job: observeJob,
  });
}

/** The same as far as a listing tells. */
export function observeMembers(summaries: readonly ContainerSummary[]): Omit<NetworkMembers, 'network'> {
  return grouped(summaries, {
    labels: ({ Labels: own }) => own,
    instance: ({ Id, State, NetworkSettings }, index) => ({ ...place(Id, State, NetworkSettings), index }),
    job: ({ Id, State, NetworkSettings, Labels: own }) => {
      const labels = parseJobLabels(own);
      return labels && { ...jobKey(labels), ...place(Id, State, NetworkSettings) };
    },
  });
}

function grouped<Container, Instance extends ListedInstance, Job extends ListedJob>(
  containers: readonly Container[],
  read: {
    readonly labels: (container: Container) => Labels;
    readonly instance: (container: Container, index: number) => Instance;
    readonly job: (container: Container) => Job | undefined;
  },
): { readonly generations: readonly (ListedGeneration & { readonly instances: readonly Instance[] })[]; readonly jobs: readonly Job[] } {
  const generations = new Map<string, ListedGeneration & { readonly instances: Instance[] }>();
  const jobs: Job[] = [];
  for (const container of containers) {
    const labels = parseInstanceLabels(read.labels(container));
    if (labels === undefined) {
      const job = read.job(container);
      if (job !== undefined) jobs.push(job);
      continue;
    }
    const key = `${labels.node} ${labels.digest}`;
    const generation = generations.get(key) ?? { node: labels.node, digest: labels.digest, deployment: labels.deployment, instances: [] };
    generation.instances.push(read.instance(container, labels.index));
    generations.set(key, generation);
  }
  for (const generation of generations.values()) generation.instances.sort((a, b) => a.index - b.index);
  return {
    generations: [...generations.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, generation]) => generation),
    jobs: jobs.sort((a, b) => (jobOrder(a) < jobOrder(b) ? -1 : 1)),
  };
}

function jobOrder(job: JobKey): string {
  return `${job.node} ${job.deployment} ${job.hook}`;
}

/** Inspections by the environment that their labels name. */
export function byEnvironment(inspections: readonly ContainerInspection[]): Map<EnvironmentId, ContainerInspection[]> {
  const groups = new Map<EnvironmentId, ContainerInspection[]>();
  for (const inspection of inspections) {
    const environment = inspection.Config.Labels?.[labelNames.environment];
    if (environment === undefined || environment === '') continue;
    const group = groups.get(environment as EnvironmentId) ?? [];
    group.push(inspection);
    groups.set(environment as EnvironmentId, group);
  }
  return groups;
}
