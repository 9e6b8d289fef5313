import type { ResolvedType } from '@coppice/catalog';
import type { BuiltImage } from '@coppice/images';
import type {
  ApplicationNode,
  Healthcheck,
  ImagePin,
  MountSpec,
  NodeName,
  NodeSpec,
  ReadinessSpec,
  RelationshipSpec,
  Resources,
  ServiceNode,
  TopologyMount,
  TopologyNode,
  TopologyRelationship,
  WorkerNode,
} from '@coppice/model';

/** What was found for a node's origin: a type of the catalog with its image, or a foreign image. */
export type ResolvedOrigin =
  | { readonly kind: 'type'; readonly type: ResolvedType; readonly built: BuiltImage }
  | { readonly kind: 'foreign'; readonly image: ImagePin };

/** Everything a node's specification is made of. `origins` holds applications and services by name. */
export interface NodeContext {
  readonly nodes: ReadonlyMap<NodeName, TopologyNode>;
  readonly origins: ReadonlyMap<NodeName, ResolvedOrigin>;
  /** Tree id of each application's source folder. */
  readonly sources: ReadonlyMap<NodeName, string>;
}

/** The port applications listen on, told to them as PORT. */
export const applicationPort = 8080;
const foreignUser = '10000:10000';
const fallbackResources: Resources = { cpu: 0.5, memoryBytes: 256 * 1024 * 1024, diskBytes: 0 };
const workerAliveMs = 2000;
const readyWithinMs = 60_000;
const probeEveryMs = 20;

/** The specification of one node of a topology, independent of branch, host and secrets. */
export function resolveNode(node: TopologyNode, context: NodeContext): NodeSpec {
  return node.kind === 'service' ? resolveService(node, context) : resolveCode(node, context);
}

function resolveCode(node: ApplicationNode | WorkerNode, context: NodeContext): NodeSpec {
  const owner = node.kind === 'worker' ? node.application : node.name;
  const origin = originOf(owner, context);
  const type = origin.kind === 'type' ? origin.type : undefined;
  const start = startCommand(node) ?? type?.argv ?? [];
  const grace = { signal: type?.stop.signal ?? 'SIGTERM', graceMs: node.stopGraceMs ?? type?.stop.graceMs ?? 10_000 };
  return {
    name: node.name,
    kind: node.kind,
    image: imageOf(origin),
    argv: start,
    user: userOf(type),
    workingDirectory: type?.workingDirectory ?? '/app',
    variables: { ...type?.variables, ...node.variables },
    capabilities: type?.capabilities ?? [],
    ports: node.kind === 'application' && node.web.enabled ? { http: applicationPort } : {},
    relationships: relationshipsOf(node.relationships, context),
    mounts: node.mounts.map((mount) => mountOf(mount, node, owner)),
    tmpfs: type?.tmpfs ?? ['/tmp'],
    egress: node.firewall ?? 'open',
    provision: undefined,
    resources: { ...(type?.resources ?? fallbackResources), ...node.resources },
    instances: node.instances,
    readiness: codeReadiness(node),
    stop: grace,
    hooks: {
      deploy: node.kind === 'application' ? node.hooks.deploy : undefined,
      postDeploy: node.kind === 'application' ? node.hooks.postDeploy : undefined,
      postStart: node.postStart,
    },
    quiesce: undefined,
    movedFrom: node.kind === 'application' ? node.movedFrom : undefined,
    trace: traceOf(origin, context.sources.get(owner)),
  };
}

function resolveService(node: ServiceNode, context: NodeContext): NodeSpec {
  const origin = originOf(node.name, context);
  const type = origin.kind === 'type' ? origin.type : undefined;
  const schemas = node.configuration.schemas.length > 0 ? node.configuration.schemas : (type?.provision?.defaultSchemas ?? []);
  return {
    name: node.name,
    kind: 'service',
    image: imageOf(origin),
    argv: [...(type?.argv ?? []), ...propertyArguments(node, type)],
    user: userOf(type),
    workingDirectory: type?.workingDirectory ?? '/',
    variables: type?.variables ?? {},
    capabilities: type?.capabilities ?? [],
    ports: Object.fromEntries(Object.entries(type?.endpoints ?? {}).map(([name, endpoint]) => [name, endpoint.port])),
    relationships: relationshipsOf(node.relationships, context),
    mounts: type?.mounts ?? [],
    tmpfs: type?.tmpfs ?? ['/tmp', '/run'],
    egress: 'none',
    provision: type?.provision ? { argv: type.provision.argv, schemas } : undefined,
    resources: { ...(type?.resources ?? fallbackResources), ...node.resources },
    instances: 1,
    readiness: type
      ? { ...type.readiness, intervalMs: 10_000, timeoutMs: 5_000 }
      : { probe: { kind: 'alive', forMs: workerAliveMs }, everyMs: 100, withinMs: readyWithinMs, intervalMs: 10_000, timeoutMs: 5_000 },
    stop: type?.stop ?? { signal: 'SIGTERM', graceMs: 10_000 },
    hooks: { deploy: undefined, postDeploy: undefined, postStart: undefined },
    quiesce: type?.quiesce,
    movedFrom: node.movedFrom,
    trace: traceOf(origin, undefined),
  };
}

function originOf(name: NodeName, context: NodeContext): ResolvedOrigin {
  const origin = context.origins.get(name);
  if (!origin) throw new Error(`no origin was resolved for ${name}`);
  return origin;
}

function imageOf(origin: ResolvedOrigin): ImagePin {
  return origin.kind === 'type' ? origin.built.image : origin.image;
}

function userOf(type: ResolvedType | undefined): string {
  return type ? `${type.user.uid}:${type.user.gid}` : foreignUser;
}

const singleCommand = /^[\w./@:+,%'"-][\w./@:+,%=\t '"-]*$/;

/** What runs a start; undefined where the file gives none. A single command replaces the shell, so that it gets the signals itself. */
export function startCommand(node: Pick<ApplicationNode | WorkerNode, 'start' | 'preStart'>): readonly string[] | undefined {
  if (node.start === undefined) return undefined;
  const line = node.start.trim();
  const replaces = singleCommand.test(line) && !/^\S*=/.test(line);
  const start = replaces ? `exec ${line}` : node.start;
  return ['/bin/sh', '-c', node.preStart === undefined ? start : `set -e\n${node.preStart}\n${start}`];
}

/** One argument for each property: a line of a configuration may hold blanks. */
function propertyArguments(node: ServiceNode, type: ResolvedType | undefined): readonly string[] {
  return Object.entries(node.configuration.properties).flatMap(([key, value]) => {
    const template = type?.properties[key];
    return template === undefined ? [] : [template.replaceAll('{value}', String(value))];
  });
}

/** A worker's kept folders are its application's: both see the same files. */
function mountOf(mount: TopologyMount, node: ApplicationNode | WorkerNode, owner: NodeName): MountSpec {
  const kept = {
    target: `/app/${mount.path}`,
    source: mount.source,
    volume: mount.source === 'tmp' ? '' : mount.sourcePath,
    exclusive: mount.exclusive,
  };
  return mount.source === 'storage' && owner !== node.name ? { ...kept, node: owner } : kept;
}

function relationshipsOf(relationships: readonly TopologyRelationship[], context: NodeContext): readonly RelationshipSpec[] {
  return relationships.map((relationship) => {
    const target = context.nodes.get(relationship.node);
    const origin = context.origins.get(relationship.node);
    const reached = { name: relationship.name, node: relationship.node, endpoint: relationship.endpoint };
    if (target?.kind !== 'service' || origin?.kind !== 'type') {
      return { ...reached, scheme: 'http', port: applicationPort, path: '', credentials: false, privileges: {}, extra: {} };
    }
    const declared = target.configuration.endpoints[relationship.endpoint];
    const endpoint = origin.type.endpoints[relationship.endpoint] ?? origin.type.endpoints[origin.type.defaultEndpoint];
    if (!endpoint) throw new Error(`type ${origin.type.name} has no endpoint`);
    const schema = declared?.defaultSchema ?? target.configuration.schemas[0] ?? origin.type.provision?.defaultSchemas[0] ?? '';
    return {
      ...reached,
      scheme: endpoint.scheme,
      port: endpoint.port,
      path: endpoint.schemaPath ? schema : '',
      credentials: endpoint.credentials,
      privileges: declared?.privileges ?? {},
      extra: {},
    };
  });
}

function codeReadiness(node: ApplicationNode | WorkerNode): ReadinessSpec {
  const common = {
    everyMs: probeEveryMs,
    withinMs: readyWithinMs,
    intervalMs: node.healthcheck.intervalMs,
    timeoutMs: node.healthcheck.timeoutMs,
  };
  if (node.kind === 'application' && node.web.enabled) return { ...common, probe: webProbe(node.healthcheck) };
  if (node.healthcheck.command !== undefined)
    return { ...common, probe: { kind: 'command', argv: ['/bin/sh', '-c', node.healthcheck.command] }, everyMs: 250 };
  return { ...common, probe: { kind: 'alive', forMs: workerAliveMs } };
}

function webProbe(healthcheck: Healthcheck): ReadinessSpec['probe'] {
  if (healthcheck.command !== undefined) return { kind: 'command', argv: ['/bin/sh', '-c', healthcheck.command] };
  if (healthcheck.path !== undefined) return { kind: 'http', port: applicationPort, path: healthcheck.path };
  return { kind: 'tcp', port: applicationPort };
}

function traceOf(origin: ResolvedOrigin, sourceTree: string | undefined): NodeSpec['trace'] {
  if (origin.kind === 'foreign') return { type: 'image', version: origin.image.manifest, sourceTree: undefined, buildKey: undefined };
  return { type: origin.type.name, version: origin.type.version, sourceTree, buildKey: origin.built.key };
}
