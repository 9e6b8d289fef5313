import type {
  ApplicationNode,
  EnvironmentRule,
  NodeOrigin,
  PathRedirect,
  Resources,
  ServiceNode,
  Topology,
  TopologyMount,
  TopologyRelationship,
  TopologyRoute,
  WebLocation,
  WorkerNode,
} from '@coppice/model';
import { stringify } from 'yaml';
import { durationText, sizeText } from './amounts.ts';

/**
 * The full form of a topology as YAML, with every default written out; reading it again gives the same topology. What takes the
 * type's default is left out, since the file does not know it.
 */
export function showConfiguration(topology: Topology): string {
  const of = <Kind extends Topology['nodes'][number]['kind']>(kind: Kind) =>
    topology.nodes.filter((node): node is Extract<Topology['nodes'][number], { kind: Kind }> => node.kind === kind);
  const workers = of('worker');
  const applications = of('application').map((node) => [node.name, applicationForm(node, workers)]);
  const { sanitize } = topology.data;
  const form = {
    applications: Object.fromEntries(applications),
    services: Object.fromEntries(of('service').map((node) => [node.name, serviceForm(node)])),
    routes: Object.fromEntries(topology.routes.map((route) => [route.url, routeForm(route)])),
    environments: topology.environments.map(environmentForm),
    data: sanitize && { sanitize: { node: sanitize.node, run: sanitize.run, timeout: durationText(sanitize.timeoutMs) } },
    backups: topology.backups,
    catalog: { nearest: topology.nearestVersion },
  };
  return stringify(written(form), { lineWidth: 0, aliasDuplicateObjects: false, schema: 'core', version: '1.2' });
}

/** A copy without what is undefined: YAML would write null. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, written(each)]),
  );
}

function applicationForm(node: ApplicationNode, workers: readonly WorkerNode[]) {
  const own = workers.filter((worker) => worker.application === node.name);
  return {
    ...originForm(node.origin),
    source: { root: node.sourceRoot },
    build: node.build,
    hooks: { build: node.hooks.build, deploy: node.hooks.deploy, post_deploy: node.hooks.postDeploy },
    dependencies: node.dependencies,
    web: {
      enabled: node.web.enabled,
      commands: commandsForm(node),
      upstream: { socket_family: 'tcp', protocol: node.web.protocol },
      locations: mapped(node.web.locations, locationForm),
    },
    workers: Object.fromEntries(own.map((worker) => [worker.name.slice(node.name.length + 2), workerForm(worker)])),
    crons: Object.fromEntries(
      node.crons.map((cron) => [
        cron.name,
        { spec: cron.spec, commands: { start: cron.start }, timeout: durationText(cron.timeoutMs), wake: cron.wake },
      ]),
    ),
    ...runningForm(node),
    access: node.access,
    moved: movedForm(node.movedFrom),
  };
}

function workerForm(node: WorkerNode) {
  return { commands: commandsForm(node), ...runningForm(node) };
}

function runningForm(node: ApplicationNode | WorkerNode) {
  return {
    variables: { env: node.variables },
    relationships: relationshipsForm(node.relationships),
    mounts: Object.fromEntries(node.mounts.map((mount) => [mount.path, mountForm(mount)])),
    resources: resourcesForm(node.resources),
    instances: node.instances,
    healthcheck: {
      path: node.healthcheck.path,
      command: node.healthcheck.command,
      interval: durationText(node.healthcheck.intervalMs),
      timeout: durationText(node.healthcheck.timeoutMs),
    },
    firewall: node.firewall && {
      outbound: node.firewall.map((rule) => ({
        protocol: rule.protocol,
        ips: rule.hosts.filter(isBlock),
        domains: rule.hosts.filter((host) => !isBlock(host)),
        ports: rule.ports,
      })),
    },
    stop_grace: node.stopGraceMs === undefined ? undefined : durationText(node.stopGraceMs),
  };
}

function isBlock(host: string): boolean {
  return host.includes('/');
}

function commandsForm(node: ApplicationNode | WorkerNode) {
  return { pre_start: node.preStart, start: node.start, post_start: node.postStart };
}

function serviceForm(node: ServiceNode) {
  const { schemas, endpoints, properties } = node.configuration;
  return {
    ...originForm(node.origin),
    configuration: {
      schemas: schemas.length === 0 ? undefined : schemas,
      endpoints: mapped(endpoints, (endpoint) => ({ default_schema: endpoint.defaultSchema, privileges: endpoint.privileges })),
      properties,
    },
    relationships: relationshipsForm(node.relationships),
    resources: resourcesForm(node.resources),
    version: node.versionPin,
    moved: movedForm(node.movedFrom),
  };
}

function originForm(origin: NodeOrigin) {
  switch (origin.kind) {
    case 'type':
      return { type: `${origin.type.name}:${origin.type.version}` };
    case 'image':
      return { image: origin.reference };
    case 'dockerfile':
      return { dockerfile: origin.path };
  }
}

function relationshipsForm(relationships: readonly TopologyRelationship[]) {
  return Object.fromEntries(relationships.map((each) => [each.name, { service: each.node, endpoint: each.endpoint }]));
}

function mountForm(mount: TopologyMount) {
  return { source: mount.source, source_path: mount.sourcePath, exclusive: mount.exclusive };
}

function resourcesForm(resources: Partial<Resources>) {
  const { cpu, memoryBytes, diskBytes } = resources;
  return {
    cpu,
    memory: memoryBytes === undefined ? undefined : sizeText(memoryBytes),
    disk: diskBytes === undefined ? undefined : sizeText(diskBytes),
  };
}

function movedForm(from: string | undefined) {
  return from === undefined ? undefined : { from };
}

function locationForm(location: WebLocation) {
  return { root: location.root, index: location.index, ...ruleForm(location), rules: mapped(location.rules, ruleForm) };
}

function ruleForm(rule: Partial<Omit<WebLocation, 'rules' | 'root' | 'index'>>) {
  const { passthru, expiresSeconds, allow, headers } = rule;
  return { passthru, expires: expiresSeconds, allow, headers };
}

function routeForm(route: TopologyRoute) {
  const shared = {
    id: route.id,
    primary: route.primary,
    headers: route.headers,
    access: route.access && {
      basic_auth: route.access.basicAuth,
      addresses: route.access.addresses.map(({ permission, block }) => ({ permission, address: block })),
    },
  };
  if (route.kind === 'redirect') return { type: 'redirect', to: route.to, code: route.code, ...shared };
  const paths = Object.fromEntries(route.redirects.map((redirect) => [redirect.path, redirectForm(redirect)]));
  return { type: 'upstream', upstream: `${route.node}:http`, redirects: { paths }, ...shared };
}

function redirectForm(redirect: PathRedirect) {
  return { to: redirect.to, code: redirect.code, prefix: redirect.prefix };
}

function environmentForm(rule: EnvironmentRule) {
  return {
    match: rule.match,
    data: rule.data,
    suspend_after: rule.suspendAfterMs === undefined ? undefined : durationText(rule.suspendAfterMs),
    resources: mapped(rule.resources, resourcesForm),
    instances: rule.instances,
    variables: { env: rule.variables },
  };
}

function mapped<In, Out>(record: Readonly<Record<string, In>>, convert: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}
