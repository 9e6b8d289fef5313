import type { EnvironmentNetwork } from '@coppice/engine';
import type { EnvironmentWork, HeldCopy, RoutesNow } from '@coppice/executor';
import {
  CoppiceError,
  type Deployment,
  type EnvironmentSpec,
  isClosed,
  type NodeName,
  type NodeSpec,
  type RelationshipSpec,
  type RouteTable,
  type RouteTarget,
} from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import type { Ports } from '../ports.ts';
import { addressingOf } from './addressing.ts';
import { credentialsOf, provisionInput } from './credentials.ts';
import { foreignData } from './foreign-data.ts';
import type { HealthMonitor } from './health-monitor.ts';
import type { Lingering } from './lingering.ts';
import { networkPolicy } from './network-policy.ts';
import { describeRoutes, routeTable } from './routes.ts';
import { relationshipHost, runVariables } from './run-variables.ts';

export interface WorkInput {
  readonly ports: Ports;
  readonly health: HealthMonitor;
  readonly environment: EnvironmentRecord;
  /** As observed, see ObservedEnvironment. */
  readonly dataGeneration: number | undefined;
  readonly spec: EnvironmentSpec;
  /** What was served before: its nodes may still be there. */
  readonly previous: EnvironmentSpec | undefined;
  readonly deployment: Deployment;
  readonly network: EnvironmentNetwork;
  readonly activity: Pick<RunningActivity, 'say'>;
  readonly lingering: Lingering;
  readonly heldCopy: HeldCopy | undefined;
  /** What the router does with requests while the environment sleeps. */
  readonly asleep: AsleepTarget;
}

export type AsleepTarget = Extract<RouteTarget, { kind: 'hold' | 'notice' }>;

/** All that a plan's steps need to know of one environment. */
export function workOf(input: WorkInput): EnvironmentWork {
  const { ports, environment, spec, deployment } = input;
  const { store } = ports;
  const nodes = new Map([...(input.previous?.nodes ?? []), ...spec.nodes].map((node) => [node.name, node]));
  const foreign = foreignData({ store, environment, spec, dataGeneration: input.dataGeneration });
  const obtain = (name: string): string => store.secrets.obtain(environment.id, name);
  const addressOf = (node: NodeName): string =>
    hostAddress(input.network.addressBlock, store.environments.addressOffset(environment.id, node));
  return {
    environment: environment.id,
    project: environment.project,
    deployment: deployment.id,
    node: (name) => {
      const node = nodes.get(name);
      if (!node) throw new CoppiceError('internal', `the plan names ${name}, which is in no release`);
      return node;
    },
    variables: (node) =>
      runVariables(
        node,
        runContext(input, (of, relationship) => credentialsOf(of, relationship, obtain)),
      ),
    hosts: (node) =>
      Object.fromEntries(node.relationships.map((relationship) => [relationshipHost(relationship), addressOf(relationship.node)])),
    provisionInput: (node) => provisionInput(node, { ...spec, nodes: foreign.nodes(spec.nodes) }, obtain),
    policy: (now) => foreign.policy(networkPolicy({ nodes: foreign.nodes([...nodes.values()]), ...now, addressOf }), now.jobs),
    routes: (now) => routesNow(spec, foreign.environment(), { ports, asleep: input.asleep }, now),
    jobs: () => [...store.environments.jobs(deployment.id), ...foreign.jobs(deployment.id)],
    recordJob: (job) => store.environments.recordJob({ ...job, deployment: deployment.id }),
    linger: (generation) =>
      environment.desired.run === 'up' ? input.lingering.ask({ ...generation, environment: environment.id }) : 'wait',
    sanitize: foreign.sanitize,
    sanitizeNode: foreign.sanitizeNode,
    forgetAside: foreign.forgetAside,
    heldCopy: input.heldCopy,
    switched: foreign.switched,
    sanitized: foreign.sanitized,
    noteReady: (instances) => {
      for (const instance of instances) input.health.noteReady(instance);
    },
    say: input.activity.say,
  };
}

/** The table for what serves now: the running instances of each node's serving generation; of one that sleeps, or is closed, requests wait. */
export function routesNow(
  spec: EnvironmentSpec,
  environment: EnvironmentRecord,
  around: { readonly ports: Pick<Ports, 'settings'>; readonly asleep: AsleepTarget },
  now: Pick<RoutesNow, 'generations' | 'serving' | 'held'>,
): RouteTable {
  return routeTable(spec, addressingOf(environment, around.ports.settings), (name) => {
    if (environment.desired.run === 'suspended') return around.asleep;
    if (isClosed(environment.desired) || now.held.has(name)) return { kind: 'hold', cause: 'switching' };
    const port = spec.nodes.find((node) => node.name === name)?.ports['http'];
    const serving = now.generations.find((generation) => generation.node === name && generation.digest === now.serving.get(name));
    if (port === undefined || !serving) return [];
    return serving.instances.flatMap(({ id, address, state }) =>
      state === 'running' && address !== undefined ? [{ id, address, port }] : [],
    );
  });
}

type Credentials = (node: NodeSpec, relationship: RelationshipSpec) => { readonly username: string; readonly password: string };

function runContext({ ports, environment, spec, deployment }: WorkInput, credentials: Credentials): Parameters<typeof runVariables>[1] {
  return {
    project: environment.project,
    environment: environment.name,
    branch: environment.branch,
    commit: deployment.commit,
    tree: deployment.tree,
    spec,
    routes: describeRoutes(spec, addressingOf(environment, ports.settings)),
    credentials,
  };
}

/** The address at an offset of a /24. */
function hostAddress(block: string, offset: number): string {
  return `${block.slice(0, block.lastIndexOf('.'))}.${offset}`;
}
