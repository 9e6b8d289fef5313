import { CoppiceError, type Deployment, type DeploymentId, type EnvironmentId, type EnvironmentSpec, type Release } from '@coppice/model';
import type { EnvironmentRecord, Project, Store } from '@coppice/state';

/** The project of that name; throws `not-found`. */
export function projectNamed(store: Store, name: string): Project {
  const project = store.projects.find(name);
  if (project) return project;
  const names = store.projects.list().map((candidate) => candidate.name);
  throw new CoppiceError('not-found', `no project is named "${name}"`, {
    hint: names.length > 0 ? `there are: ${names.join(', ')}` : 'create one: coppice project create NAME',
  });
}

/** The environment of that name or branch; empty: `main`, else the first pushed. Throws `not-found`. */
export function environmentNamed(store: Store, project: string, name: string): EnvironmentRecord {
  projectNamed(store, project);
  const found =
    name === ''
      ? defaultEnvironment(store, project)
      : (store.environments.findByName(project, name) ?? store.environments.findByBranch(project, name));
  if (found) return found;
  const names = store.environments.list(project).map((candidate) => candidate.name);
  throw new CoppiceError(
    'not-found',
    name === '' ? `project "${project}" has no environment yet` : `project "${project}" has no environment "${name}"`,
    {
      hint: names.length > 0 ? `there are: ${names.join(', ')}` : 'push a branch to create one',
    },
  );
}

/** `main`, else the oldest; undefined where nothing was pushed. */
export function defaultEnvironment(store: Store, project: string): EnvironmentRecord | undefined {
  return store.environments.findByBranch(project, 'main') ?? store.environments.list(project)[0];
}

/** Asked by id, throwing where it is gone. */
export function environmentById(store: Store, id: EnvironmentId): EnvironmentRecord {
  const environment = store.environments.get(id);
  if (!environment) throw new CoppiceError('not-found', `the environment ${id} is gone`);
  return environment;
}

/** A deployment of the project, by id; throws `not-found`. */
export function deploymentNamed(store: Store, project: string, id: string): Deployment {
  const found = deploymentOf(store, project, id);
  if (found) return found;
  throw new CoppiceError('not-found', `project "${project}" has no deployment "${id}"`, { hint: 'list them: coppice deployments' });
}

/** Looked up by id first: most names are of no deployment, and histories are long. */
function deploymentOf(store: Store, project: string, id: string): Deployment | undefined {
  const found = store.deployments.get(id as DeploymentId);
  return found && store.deployments.listProject(project).some((candidate) => candidate.id === found.id) ? found : undefined;
}

/**
 * The spec that a deployment (by id) pinned, or that an environment (by name or branch) serves; undefined where nothing is named so, or
 * nothing is served yet. Throws `not-found` for a deployment that failed before it pinned one.
 */
export function specNamed(store: Store, project: string, name: string): EnvironmentSpec | undefined {
  projectNamed(store, project);
  const deployment = deploymentOf(store, project, name);
  const digest = deployment && store.deployments.specOf(deployment.id);
  const spec = digest && store.releases.getSpec(digest);
  if (spec) return spec;
  if (deployment) {
    throw new CoppiceError('not-found', `the deployment ${name} ended before it was known what to run`, {
      hint: 'list them: coppice deployments',
    });
  }
  const environment = store.environments.findByName(project, name) ?? store.environments.findByBranch(project, name);
  return environment && liveOf(store, environment)?.spec;
}

/** The deployment an environment serves, with what it pinned; undefined before the first succeeded. */
export function liveOf(
  store: Store,
  environment: EnvironmentRecord,
): { readonly deployment: Deployment; readonly release: Release; readonly spec: EnvironmentSpec } | undefined {
  const deployment = environment.live && store.deployments.get(environment.live);
  const release = deployment?.release && store.releases.get(deployment.release);
  const specDigest = deployment && store.deployments.specOf(deployment.id);
  const spec = specDigest && store.releases.getSpec(specDigest);
  return deployment && release && spec ? { deployment, release, spec } : undefined;
}
