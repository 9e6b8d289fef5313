import type { DeploymentId, Digest, EnvironmentId, ImagePin, NodeName } from '@coppice/model';
import { sha256 } from '@coppice/model';
import type { GenerationSpec, JobSpec, RunSpec } from '../engine.ts';

/** A run of the tiny image with what tests seldom care for; `change` is what they do. */
export function runSpec(image: ImagePin, change: Partial<RunSpec> = {}): RunSpec {
  return {
    image,
    argv: ['/bin/sleep', '1000'],
    user: '1000:1000',
    workingDirectory: '/',
    variables: { PATH: '/bin' },
    capabilities: [],
    mounts: [],
    tmpfs: ['/tmp'],
    hosts: {},
    resources: { cpu: 0, memoryBytes: 64 * 1024 * 1024 },
    stop: { signal: 'SIGKILL', graceMs: 0 },
    ...change,
  };
}

/** A generation of one instance of node `web` in `e_1`. */
export function generationSpec(image: ImagePin, change: Partial<GenerationSpec> = {}): GenerationSpec {
  return {
    ...runSpec(image),
    environment: 'e_1' as EnvironmentId,
    project: 'shop',
    node: 'web' as NodeName,
    digest: sha256('one'),
    deployment: 'd_1' as DeploymentId,
    instances: 1,
    ...change,
  };
}

/** A deploy hook of node `web` in `e_1`. */
export function jobSpec(image: ImagePin, change: Partial<JobSpec> = {}): JobSpec {
  return {
    ...runSpec(image),
    environment: 'e_1' as EnvironmentId,
    project: 'shop',
    key: { deployment: 'd_1' as DeploymentId, node: 'web' as NodeName, hook: 'deploy' },
    ...change,
  };
}

/** Brands, for tests. */
export const environment = (text: string): EnvironmentId => text as EnvironmentId;
export const node = (text: string): NodeName => text as NodeName;
export const digest = (text: string): Digest => sha256(text);
