import { mustRun, type TestServer } from '../../test/e2e/harness.ts';
import type { Place } from './ask.ts';

/** An environment as `env show` has it, in what the benchmark reads. */
export interface EnvironmentAnswer {
  readonly release: { readonly digest: string } | null;
  readonly nodes: readonly { readonly name: string; readonly image: string; readonly instances: readonly { readonly id: string }[] }[];
}

/** A deployment as `deployments` has it, in what the benchmark reads; durations in ms. */
export interface DeploymentAnswer {
  readonly status: string;
  readonly durations: { readonly build: number; readonly plan: number; readonly apply: number };
}

export async function environmentOf(server: TestServer, project: string): Promise<EnvironmentAnswer> {
  return await answer<EnvironmentAnswer>(server, `/v1/projects/${project}/environments/main`);
}

/** Newest first. */
export async function deploymentsOf(server: TestServer, project: string): Promise<readonly DeploymentAnswer[]> {
  return (await answer<{ readonly items: readonly DeploymentAnswer[] }>(server, `/v1/projects/${project}/deployments`)).items;
}

/** Ids of all containers of an environment, sorted. */
export async function containersOf(server: TestServer, project: string): Promise<readonly string[]> {
  const { nodes } = await environmentOf(server, project);
  return nodes.flatMap((node) => node.instances.map((instance) => instance.id)).sort();
}

/** A project's main environment through the router. */
export function placeOf(server: TestServer, project: string): Place {
  const [address = '', port = ''] = server.routerAddress.split(':');
  return { address, port: Number(port), host: `main.${project}.localhost` };
}

/** Removes what the engine pulled from a registry at `address`. */
export async function removeImages(address: string): Promise<void> {
  const listed = await mustRun('docker', ['images', '--no-trunc', '--quiet', '--filter', `reference=${address}/*`]);
  const images = [...new Set(listed.split('\n').filter((line) => line !== ''))];
  if (images.length > 0) await mustRun('docker', ['rmi', '--force', ...images]);
}

async function answer<Value>(server: TestServer, path: string): Promise<Value> {
  const response = await server.api(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Value;
}
