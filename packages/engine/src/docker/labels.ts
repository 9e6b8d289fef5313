import { createHash } from 'node:crypto';
import type { DeploymentId, Digest, EnvironmentId, JobKey, NodeName } from '@coppice/model';
import { shortDigest } from '@coppice/model';
import type { GenerationRef } from '../engine.ts';

/** The labels by which everything of ours on the engine is found again. */
export const labelNames = {
  version: 'coppice.v',
  server: 'coppice.server',
  kind: 'coppice.kind',
  project: 'coppice.project',
  environment: 'coppice.environment',
  node: 'coppice.node',
  digest: 'coppice.digest',
  deployment: 'coppice.deployment',
  index: 'coppice.index',
  hook: 'coppice.hook',
  /** IPv4 in the environment's network, fixed when the container is created. */
  address: 'coppice.address',
  /** On networks: CIDR of the instances and of the stable addresses. */
  subnet: 'coppice.subnet',
  block: 'coppice.block',
} as const;

export type Labels = Readonly<Record<string, string>>;
/** What a labelled thing is. */
export type LabelKind = 'instance' | 'job' | 'network' | 'build-network' | 'build';

/** Labels of an instance. */
export interface InstanceLabels extends GenerationRef {
  readonly project: string;
  readonly deployment: DeploymentId;
  readonly index: number;
  readonly address: string;
}

/** Labels of a job. */
export interface JobLabels extends JobKey {
  readonly environment: EnvironmentId;
  readonly project: string;
  readonly address: string;
}

/** `kind` and the server's id, as every label set has them. */
export function commonLabels(serverId: string, kind: LabelKind): Record<string, string> {
  return { [labelNames.version]: '1', [labelNames.server]: serverId, [labelNames.kind]: kind };
}

/** The labels that say which instance a container is. */
export function instanceLabels(serverId: string, instance: InstanceLabels): Labels {
  return {
    ...commonLabels(serverId, 'instance'),
    [labelNames.project]: instance.project,
    [labelNames.environment]: instance.environment,
    [labelNames.node]: instance.node,
    [labelNames.digest]: instance.digest,
    [labelNames.deployment]: instance.deployment,
    [labelNames.index]: String(instance.index),
    [labelNames.address]: instance.address,
  };
}

/** The labels that say which job a container is. */
export function jobLabels(serverId: string, job: JobLabels): Labels {
  return {
    ...commonLabels(serverId, 'job'),
    [labelNames.project]: job.project,
    [labelNames.environment]: job.environment,
    [labelNames.node]: job.node,
    [labelNames.deployment]: job.deployment,
    [labelNames.hook]: job.hook,
    [labelNames.address]: job.address,
  };
}

/** The instance that the labels describe, or undefined where they describe none. */
export function parseInstanceLabels(labels: Labels): InstanceLabels | undefined {
  const index = Number(labels[labelNames.index]);
  const { environment, node, digest, deployment } = read(labels);
  if (labels[labelNames.kind] !== 'instance' || !Number.isInteger(index)) return undefined;
  if (environment === '' || node === '' || digest === '') return undefined;
  return {
    environment: environment as EnvironmentId,
    node: node as NodeName,
    digest: digest as Digest,
    deployment: deployment as DeploymentId,
    index,
    project: labels[labelNames.project] ?? '',
    address: labels[labelNames.address] ?? '',
  };
}

/** The job that the labels describe, or undefined where they describe none. */
export function parseJobLabels(labels: Labels): JobLabels | undefined {
  const { environment, node, deployment } = read(labels);
  const hook = labels[labelNames.hook] ?? '';
  if (labels[labelNames.kind] !== 'job' || environment === '' || node === '' || deployment === '' || hook === '') return undefined;
  return {
    environment: environment as EnvironmentId,
    node: node as NodeName,
    deployment: deployment as DeploymentId,
    hook,
    project: labels[labelNames.project] ?? '',
    address: labels[labelNames.address] ?? '',
  };
}

function read(labels: Labels): Record<'environment' | 'node' | 'digest' | 'deployment', string> {
  return {
    environment: labels[labelNames.environment] ?? '',
    node: labels[labelNames.node] ?? '',
    digest: labels[labelNames.digest] ?? '',
    deployment: labels[labelNames.deployment] ?? '',
  };
}

/** A value of the API's `filters` that lets through what has all of `labels`. */
export function labelFilter(labels: Labels): string {
  return JSON.stringify({ label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) });
}

/** Eight characters of a server's id, for names that people read. */
export function serverShort(serverId: string): string {
  return /^[A-Za-z0-9_]{1,8}$/.test(serverId) ? serverId : createHash('sha256').update(serverId).digest('hex').slice(0, 8);
}

/** Name of an instance's container. */
export function instanceName(serverId: string, ref: GenerationRef, index: number): string {
  return `coppice-${serverShort(serverId)}-${ref.environment}-${ref.node}-${shortDigest(ref.digest)}-${index}`;
}

/** Name of a job's container. */
export function jobName(serverId: string, environment: EnvironmentId, key: JobKey): string {
  return `coppice-${serverShort(serverId)}-${environment}-${key.node}-${key.deployment}-${key.hook.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`;
}

/** Name of an environment's network. */
export function networkName(serverId: string, environment: string): string {
  return `coppice-${serverShort(serverId)}-${environment}`;
}
