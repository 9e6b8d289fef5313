import type { DeploymentId, Digest, ImagePin, SnapshotId } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';

/** An image that something may run again, and what that is, for people. */
export interface NeededImage {
  readonly pin: ImagePin;
  readonly why: string;
}

/** What is no reason to keep an image. */
export interface Limits {
  /** So many deployments of an environment may be reverted to. */
  readonly deployments: number;
  readonly outdated: ReadonlySet<SnapshotId>;
}

/**
 * Images by manifest that may run again: of what shall run and what serves, of the newest deployments of each environment, of backups and of
 * the trash.
 */
export function neededImages(store: Store, limits: Limits): ReadonlyMap<Digest, NeededImage> {
  const needed = new Map<Digest, NeededImage>();
  const seen = new Set<Digest>();
  const needSpec = (digest: Digest | undefined, why: string): void => {
    if (digest === undefined || seen.has(digest)) return;
    seen.add(digest);
    for (const { image } of store.releases.getSpec(digest)?.nodes ?? []) need(image, why);
  };
  const need = (pin: ImagePin, why: string): void => {
    if (!needed.has(pin.manifest)) needed.set(pin.manifest, { pin, why });
  };
  const needDeployment = (id: DeploymentId | undefined, why: string): void => needSpec(id && store.deployments.specOf(id), why);
  const environments = store.environments.list();
  for (const environment of environments) needWanted(environment, { need, needSpec, needDeployment });
  for (const { id, project, name } of environments) {
    for (const deployment of store.deployments.list(id, limits.deployments)) {
      needDeployment(deployment.id, `${deployment.id} of ${project}/${name} may be reverted to`);
    }
  }
  for (const { id, project, spec } of store.backups.list({}))
    if (!limits.outdated.has(id)) needSpec(spec, `the backup ${id} of ${project}`);
  for (const { id, project, deployment } of store.trash.list({})) needDeployment(deployment, `${id} in the trash of ${project}`);
  return needed;
}

interface Needs {
  readonly need: (pin: ImagePin, why: string) => void;
  readonly needSpec: (digest: Digest | undefined, why: string) => void;
  readonly needDeployment: (id: DeploymentId | undefined, why: string) => void;
}

function needWanted({ project, name, live, desired }: EnvironmentRecord, { need, needSpec, needDeployment }: Needs): void {
  const where = `${project}/${name}`;
  needDeployment(live, `live in ${where}`);
  needDeployment(desired.attempt, `deployed to ${where}`);
  for (const { image } of desired.spec?.nodes ?? []) need(image, `to run in ${where}`);
  needSpec(desired.dataSource?.sanitize?.spec, `sanitises the data of ${where}`);
}
