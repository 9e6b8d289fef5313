import { CoppiceError, type Deployment, type EnvironmentSpec, type NodeSpec, nodeDigest } from '@coppice/model';
import { diffValues } from '@coppice/plan';
import type { EnvironmentRecord } from '@coppice/state';
import type { ExplainView } from '../control-plane.ts';
import { repositoryOf } from '../environment/repository-of.ts';
import type { Ports } from '../ports.ts';
import { readTopology } from '../release/read-configuration.ts';
import { nodeBuilds } from '../release/resolve-release.ts';
import { liveOf } from './find.ts';

/** What entered a node's build key, against the deployment before. Throws `not-found` where the node is not built. */
export async function explainBuild(ports: Ports, environment: EnvironmentRecord, name: string): Promise<ExplainView> {
  const [current, before] = lastTwo(ports, environment);
  const now = await buildInputs(ports, environment, current.deployment, name);
  if (!now) throw new CoppiceError('not-found', `${name} has no image that is built here`, { hint: namesOf(current.spec) });
  const then = before && (await buildInputs(ports, environment, before.deployment, name));
  const names = [...new Set([...now.inputs.keys(), ...(then?.inputs.keys() ?? [])])];
  const inputs = names.map((input) => compared(input, then?.inputs.get(input), now.inputs.get(input)));
  return { node: name, key: now.key, inputs };
}

/** Which fields of the node's digest changed between the last two deployments. */
export function explainRestart(ports: Ports, environment: EnvironmentRecord, name: string): ExplainView {
  const [current, before] = lastTwo(ports, environment);
  const node = nodeOf(current.spec, name);
  const earlier = before?.spec.nodes.find((candidate) => candidate.name === name);
  const changes = earlier ? diffValues(embodied(earlier), embodied(node)) : [];
  const inputs = changes.map((change) => ({ name: change.path, from: text(change.from), to: text(change.to), changed: true }));
  return { node: name, key: nodeDigest(node), inputs };
}

interface Deployed {
  readonly deployment: Deployment;
  readonly spec: EnvironmentSpec;
}

function lastTwo(ports: Ports, environment: EnvironmentRecord): readonly [Deployed, Deployed | undefined] {
  const live = liveOf(ports.store, environment);
  if (!live) throw new CoppiceError('not-found', `nothing is live in ${environment.name} yet`);
  const earlier = ports.store.deployments
    .list(environment.id)
    .find((deployment) => deployment.status === 'succeeded' && deployment.sequence < live.deployment.sequence);
  const digest = earlier && ports.store.deployments.specOf(earlier.id);
  const spec = digest && ports.store.releases.getSpec(digest);
  return [live, earlier && spec ? { deployment: earlier, spec } : undefined];
}

async function buildInputs(
  ports: Ports,
  environment: EnvironmentRecord,
  deployment: Deployment,
  name: string,
): Promise<{ readonly key: string; readonly inputs: ReadonlyMap<string, string> } | undefined> {
  const { objects } = repositoryOf(ports, environment.project);
  const tree = await objects.tree(deployment.tree);
  const { topology } = await readTopology(tree, ports.types);
  const builds = await nodeBuilds({ project: environment.project, topology, tree, catalog: ports.catalog, typeFiles: ports.typeFiles });
  const build = builds.find((candidate) => candidate.node === name);
  const outlook = build && (await ports.images.look(build.request));
  return outlook && { key: outlook.key, inputs: new Map(outlook.inputs.map((input) => [input.name, input.value])) };
}

function nodeOf(spec: EnvironmentSpec, name: string): NodeSpec {
  const node = spec.nodes.find((candidate) => candidate.name === name);
  if (!node) throw new CoppiceError('not-found', `no node is named "${name}"`, { hint: namesOf(spec) });
  return node;
}

function namesOf(spec: EnvironmentSpec): string {
  return `there are: ${spec.nodes.map((node) => node.name).join(', ')}`;
}

function embodied({ trace: _trace, readiness: _readiness, stop: _stop, ...rest }: NodeSpec): object {
  return rest;
}

function compared(name: string, from: string | undefined, to: string | undefined): ExplainView['inputs'][number] {
  return { name, from: from ?? null, to: to ?? null, changed: from !== to };
}

function text(value: unknown): string | null {
  return value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
}
