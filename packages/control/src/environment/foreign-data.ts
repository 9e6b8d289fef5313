import type { EnvironmentWork } from '@coppice/executor';
import {
  CoppiceError,
  type DeploymentId,
  type Desired,
  type EnvironmentSpec,
  type NetworkPolicy,
  type NodeName,
  type NodeSpec,
} from '@coppice/model';
import { keptMounts, mountedFolders, neededBy, sanitizeHook } from '@coppice/plan';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { trustedNodes, untrusted } from '../data/trusted-nodes.ts';
import { isDetached } from './kept-volumes.ts';

/** What the steps need to know of foreign data that was not sanitised yet. */
export interface ForeignData extends Pick<EnvironmentWork, 'sanitize' | 'sanitizeNode' | 'forgetAside' | 'switched' | 'sanitized'> {
  /** How sanitising this data went in other deployments than this: nobody runs it a second time on what half a run left. */
  readonly jobs: (deployment: DeploymentId) => ReturnType<EnvironmentWork['jobs']>;
  /** The environment as it was, open once its data was sanitised meanwhile. */
  readonly environment: () => EnvironmentRecord;
  /** The nodes, with the one that sanitises while it has to: it is known to what it needs. */
  readonly nodes: (nodes: readonly NodeSpec[]) => readonly NodeSpec[];
  /** While the data is there and closed, only the job reaches anything, and what it needs; running instances of its node do not. */
  readonly policy: (policy: NetworkPolicy, jobs: ReadonlyMap<NodeName, readonly string[]>) => NetworkPolicy;
}

export function foreignData(input: {
  readonly store: Store;
  readonly environment: EnvironmentRecord;
  readonly spec: EnvironmentSpec;
  /** As observed. */
  readonly dataGeneration: number | undefined;
}): ForeignData {
  const { store, spec } = input;
  const { id, desired } = input.environment;
  const sanitize = desired.dataSource?.sanitize;
  const sanitizer = sanitizerOf(store, desired);
  const needs = sanitizer ? neededBy(sanitizer, spec.nodes) : new Set<NodeName>();
  let environment = input.environment;
  let isThere = input.dataGeneration === desired.dataGeneration;
  const isClosed = (): boolean => environment === input.environment && sanitize !== undefined;
  return {
    sanitize: () => sanitize && { run: sanitize.run, timeoutMs: sanitize.timeoutMs, mounted: mountedFolders(spec.nodes) },
    sanitizeNode: () => {
      if (!sanitizer) throw new CoppiceError('internal', `no release is left that demands to sanitise the data of ${id}`);
      refuseLost(sanitizer, desired);
      refuseUntrusted(store, desired);
      return sanitizer;
    },
    forgetAside: () => {
      const now = store.environments.get(id)?.desired;
      if (!now?.volumeMoves || now.dataGeneration !== desired.dataGeneration) return;
      store.environments.setDesired(id, { ...now, volumeMoves: now.volumeMoves.filter(({ to }) => !isDetached(to)) });
    },
    switched: () => {
      isThere = true;
    },
    sanitized: () => {
      const now = store.environments.get(id)?.desired;
      if (now?.dataSource && now.dataGeneration === desired.dataGeneration) store.environments.setDesired(id, opened(now));
      environment = { ...environment, desired: opened(desired) };
    },
    jobs: (deployment) => {
      if (!sanitize) return [];
      const others = store.deployments.list(id).filter((other) => other.id !== deployment);
      const hook = sanitizeHook(desired.dataGeneration);
      return others.flatMap((other) => store.environments.jobs(other.id)).filter((job) => job.node === sanitize.node && job.hook === hook);
    },
    environment: () => environment,
    nodes: (nodes) => (isClosed() && sanitizer ? withNode(nodes, sanitizer) : nodes),
    policy: (policy, jobs) => {
      // What failed to be sanitised is still there.
      if (!isThere && desired.dataSource?.replacesClosed) return { ...policy, edges: [] };
      return isClosed() && isThere && sanitize
        ? closedPolicy(policy, { node: sanitize.node, needs, jobs: jobs.get(sanitize.node) ?? [] })
        : policy;
    },
  };
}

/**
 * The node that sanitises an environment's data, as the release that demands it has it, with those of its relationships that lead to nodes
 * there are here and that may run on the data before, and its volumes, where they went by a rename. Undefined where nothing is to be
 * sanitised, and where no record is left of the release.
 */
export function sanitizerOf(store: Pick<Store, 'releases'>, desired: Desired): NodeSpec | undefined {
  const { sanitizer, trusted } = demandOf(store, desired) ?? {};
  return sanitizer && { ...sanitizer, relationships: sanitizer.relationships.filter(({ node }) => trusted?.has(node)) };
}

interface Demand {
  /** With all of its relationships that lead to nodes there are here. */
  readonly sanitizer: NodeSpec;
  readonly trusted: ReadonlySet<NodeName>;
}

function demandOf(store: Pick<Store, 'releases'>, { spec, dataSource, volumeMoves }: Desired): Demand | undefined {
  const sanitize = dataSource?.sanitize;
  const demanding = sanitize && store.releases.getSpec(sanitize.spec)?.nodes;
  const demanded = demanding?.find(({ name }) => name === sanitize?.node);
  if (!demanding || !demanded) return undefined;
  const here = new Map<string, NodeName>(spec?.nodes.map(({ name }) => [name, name]));
  const renamed = (name: NodeName): NodeName => here.get(volumeMoves?.find(({ from }) => from === name)?.to ?? name) ?? name;
  const sanitizer = {
    ...demanded,
    relationships: demanded.relationships
      .map((relationship) => ({ ...relationship, node: renamed(relationship.node) }))
      .filter(({ node }) => here.has(node)),
    mounts: demanded.mounts.map((mount) => {
      const owner = mount.node ?? demanded.name;
      return renamed(owner) === owner ? mount : { ...mount, node: renamed(owner) };
    }),
  };
  return { sanitizer, trusted: trustedNodes(spec?.nodes ?? [], demanding) };
}

/** Throws `conflict` where what it needs would run code of the branch: that does not run, and the job would not find all that it needs. */
function refuseUntrusted(store: Pick<Store, 'releases'>, desired: Desired): void {
  const { sanitizer, trusted } = demandOf(store, desired) ?? {};
  const needed = sanitizer?.relationships.find(({ node }) => !trusted?.has(node));
  if (sanitizer && needed) throw untrusted(sanitizer.name, needed.node);
}

/** What is put aside cannot be mounted, and must not stay as it is. */
function refuseLost(sanitizer: NodeSpec, { spec, volumeMoves }: Desired): void {
  const owners = new Set<string>(keptMounts(sanitizer).map((mount) => mount.node ?? sanitizer.name));
  const lost = volumeMoves?.find(({ from, to }) => owners.has(from) && spec?.nodes.every(({ name }) => name !== to));
  if (!lost) return;
  throw new CoppiceError('conflict', `the data of ${lost.from} cannot be sanitised, since this release puts it aside`, {
    hint: `let ${lost.from} be of the type it is in the parent, or begin without data: no-clone`,
  });
}

function opened({ dataSource, ...desired }: Desired): Desired {
  if (!dataSource) return desired;
  const { sanitize: _, ...open } = dataSource;
  return { ...desired, dataSource: open };
}

/** Its relationships beside those that the node of that name has here. */
function withNode(nodes: readonly NodeSpec[], added: NodeSpec): readonly NodeSpec[] {
  const own = nodes.find(({ name }) => name === added.name);
  if (!own) return [...nodes, added];
  const isKnown = (name: string, node: NodeName): boolean => own.relationships.some((other) => other.name === name && other.node === node);
  const more = added.relationships.filter(({ name, node }) => !isKnown(name, node));
  return nodes.map((node) => (node === own ? { ...own, relationships: [...own.relationships, ...more] } : node));
}

function closedPolicy(
  { nodes, edges }: NetworkPolicy,
  job: { readonly node: NodeName; readonly needs: ReadonlySet<NodeName>; readonly jobs: readonly string[] },
): NetworkPolicy {
  return {
    nodes: nodes.map((node) => (node.node === job.node && !job.needs.has(job.node) ? { ...node, instances: job.jobs, serving: [] } : node)),
    edges: edges.filter(({ from }) => from === job.node || job.needs.has(from)),
  };
}
