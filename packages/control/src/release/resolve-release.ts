import type { Catalog, ResolvedType } from '@coppice/catalog';
import type { BuildOutlook, BuildRequest, BuiltImage, ImageBuilder } from '@coppice/images';
import {
  type ApplicationNode,
  type BuildStep,
  CoppiceError,
  formatDiagnostic,
  type NodeName,
  parseDigest,
  type Release,
  type ServiceNode,
  type SourceTree,
  type Topology,
} from '@coppice/model';
import { type ResolvedOrigin, resolveNode } from './resolve-node.ts';
import { runningSource } from './running-source.ts';

/** Generates files of a type's own from the application, e.g. a static server's configuration. */
export type TypeFiles = (type: ResolvedType, node: ApplicationNode) => Readonly<Record<string, string>>;

export interface ReleaseInput {
  readonly project: string;
  readonly topology: Topology;
  readonly tree: SourceTree;
  readonly catalog: Catalog;
  readonly typeFiles: TypeFiles;
}

/** Applications and services: what has an image of its own. */
type Rooted = ApplicationNode | ServiceNode;

/** A node that has to be built, and what to build. */
export interface NodeBuild {
  readonly node: NodeName;
  readonly request: BuildRequest;
  readonly type: ResolvedType;
  readonly sourceTree: string | undefined;
}

/** What a topology needs built. Throws `invalid-configuration` for types that are not there and folders that are missing. */
export async function nodeBuilds(input: ReleaseInput): Promise<readonly NodeBuild[]> {
  const rooted = input.topology.nodes.filter((node): node is Rooted => node.kind !== 'worker' && node.origin.kind === 'type');
  return await Promise.all(rooted.map((node) => nodeBuild(node, input)));
}

async function nodeBuild(node: Rooted, input: ReleaseInput): Promise<NodeBuild> {
  const type = resolveType(node, input);
  if (node.kind === 'service')
    return { node: node.name, type, sourceTree: undefined, request: { project: input.project, type, application: undefined } };
  const folder = node.sourceRoot === '.' ? input.tree : await input.tree.subtree(node.sourceRoot);
  if (!folder) {
    throw new CoppiceError('invalid-configuration', `source.root of ${node.name}: the commit has no folder "${node.sourceRoot}"`);
  }
  const source = await runningSource(folder);
  const steps = await buildSteps(node, type, source);
  const variables = steps.length === 0 ? {} : { ...type.build?.variables, ...node.variables };
  const application = { source, steps, variables, files: input.typeFiles(type, node) };
  return { node: node.name, type, sourceTree: source.id, request: { project: input.project, type, application } };
}

function resolveType(node: Rooted, input: ReleaseInput): ResolvedType {
  if (node.origin.kind !== 'type') throw new Error(`${node.name} has no type`);
  const resolved = input.catalog.resolve(node.origin.type, input.topology.nearestVersion);
  if ('severity' in resolved)
    throw new CoppiceError('invalid-configuration', `${node.name}: ${formatDiagnostic(resolved)}`, { diagnostics: [resolved] });
  return resolved;
}

/** The declared steps or the type's own, then the build hook. */
async function buildSteps(node: ApplicationNode, type: ResolvedType, source: SourceTree): Promise<readonly BuildStep[]> {
  const steps = node.build ?? (await defaultSteps(type, source));
  return node.hooks.build === undefined ? steps : [...steps, { run: node.hooks.build, inputs: undefined }];
}

async function defaultSteps(type: ResolvedType, source: SourceTree): Promise<readonly BuildStep[]> {
  for (const candidate of type.build?.defaults ?? []) {
    if (await source.entry(candidate.when)) return candidate.steps;
  }
  return [];
}

/** What would be built, without building: a key per node, and the image where it is there. */
export async function lookAtBuilds(builds: readonly NodeBuild[], images: ImageBuilder): Promise<ReadonlyMap<NodeName, BuildOutlook>> {
  return new Map(await Promise.all(builds.map(async (build) => [build.node, await images.look(build.request)] as const)));
}

/** Builds all at once, what is there already for free. Throws what a build throws, when all have ended. */
export async function buildAll(
  builds: readonly NodeBuild[],
  images: ImageBuilder,
  options: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<ReadonlyMap<NodeName, BuiltImage>> {
  const results = await Promise.allSettled(
    builds.map(async (build) => {
      const built = await images.build(build.request, {
        onProgress: (line) => options.say(`${build.node}: ${line}`),
        signal: options.signal,
      });
      return [build.node, built] as const;
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return new Map(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
}

/** The release of a topology whose images are there: a pure function of its arguments. */
export function resolveRelease(topology: Topology, builds: readonly NodeBuild[], images: ReadonlyMap<NodeName, BuiltImage>): Release {
  const origins = new Map<NodeName, ResolvedOrigin>();
  for (const build of builds) {
    const built = images.get(build.node);
    if (built) origins.set(build.node, { kind: 'type', type: build.type, built });
  }
  for (const node of topology.nodes) {
    if (node.kind !== 'worker' && node.origin.kind !== 'type') origins.set(node.name, foreignOrigin(node));
  }
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]));
  const sources = new Map(builds.flatMap((build) => (build.sourceTree === undefined ? [] : [[build.node, build.sourceTree] as const])));
  return {
    v: 1,
    nodes: topology.nodes.map((node) => resolveNode(node, { nodes, origins, sources })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    routes: topology.routes,
    environments: topology.environments,
    data: topology.data,
    backups: topology.backups,
  };
}

function foreignOrigin(node: Rooted): ResolvedOrigin {
  if (node.origin.kind === 'dockerfile') {
    throw new CoppiceError(
      'invalid-configuration',
      `${node.name}: dockerfile is not built yet; use type with build steps, or image with a digest`,
    );
  }
  const reference = node.origin.kind === 'image' ? node.origin.reference : '';
  const manifest = parseDigest(reference.slice(reference.indexOf('@') + 1));
  if (!manifest) throw new CoppiceError('invalid-configuration', `${node.name}: image must end with @sha256:…; tags move, digests do not`);
  return { kind: 'foreign', image: { manifest, config: manifest, foreign: reference } };
}
