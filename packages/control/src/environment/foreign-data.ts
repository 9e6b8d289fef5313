import type { EnvironmentWork } from '@coppice/executor';
import { CoppiceError, type DeploymentId, type Desired, type NodeName, type NodeSpec } from '@coppice/model';
import { sanitizeHook } from '@coppice/plan';
import type { EnvironmentRecord, Store } from '@coppice/state';

/** What the steps need to know of foreign data that was not sanitised yet. */
export interface ForeignData extends Pick<EnvironmentWork, 'sanitize' | 'sanitizeNode' | 'sanitized'> {
  /** How sanitising this data went in other deployments than this: nobody runs it a second time on what half a run left. */
  readonly jobs: (deployment: DeploymentId) => ReturnType<EnvironmentWork['jobs']>;
}

export function foreignData(store: Store, { id, desired }: Pick<EnvironmentRecord, 'id' | 'desired'>): ForeignData {
  const sanitize = desired.dataSource?.sanitize;
  return {
    sanitize: () => sanitize && { run: sanitize.run, timeoutMs: sanitize.timeoutMs },
    sanitizeNode: () => {
      const found = sanitizerOf(store, desired);
      if (!found) throw new CoppiceError('internal', `no release is left that demands to sanitise the data of ${id}`);
      return found;
    },
    sanitized: () => {
      const now = store.environments.get(id)?.desired;
      if (!now?.dataSource || now.dataGeneration !== desired.dataGeneration) return;
      const { sanitize: _, ...dataSource } = now.dataSource;
      store.environments.setDesired(id, { ...now, dataSource });
    },
    jobs: (deployment) => {
      if (!sanitize) return [];
      const others = store.deployments.list(id).filter((other) => other.id !== deployment);
      const hook = sanitizeHook(desired.dataGeneration);
      return others.flatMap((other) => store.environments.jobs(other.id)).filter((job) => job.node === sanitize.node && job.hook === hook);
    },
  };
}

/**
 * The node that sanitises an environment's data, as the release that demands it has it, with those of its relationships that lead to nodes
 * there are here, and its volumes, where they went by a rename. Undefined where nothing is to be sanitised, and where no record is left of
 * the release.
 */
export function sanitizerOf(store: Pick<Store, 'releases'>, { spec, dataSource, volumeMoves }: Desired): NodeSpec | undefined {
  const sanitize = dataSource?.sanitize;
  const demanded = sanitize && store.releases.getSpec(sanitize.spec)?.nodes.find(({ name }) => name === sanitize.node);
  if (!demanded) return undefined;
  const renamed = (name: NodeName): NodeName => (volumeMoves?.find(({ from }) => from === name)?.to as NodeName | undefined) ?? name;
  const here = new Set(spec?.nodes.map(({ name }) => name));
  return {
    ...demanded,
    relationships: demanded.relationships
      .map((relationship) => ({ ...relationship, node: renamed(relationship.node) }))
      .filter(({ node }) => here.has(node)),
    mounts: demanded.mounts.map((mount) => {
      const owner = mount.node ?? demanded.name;
      return renamed(owner) === owner ? mount : { ...mount, node: renamed(owner) };
    }),
  };
}
