import { CoppiceError } from '@coppice/model';
import type { ControlPlane, ProjectView } from '../control-plane.ts';
import { projectNamed } from '../history/find.ts';
import { refOfBranch } from '../push/push-refs.ts';
import { removeEnvironment } from './environment-commands.ts';
import type { CommandParts } from './parts.ts';

type ProjectCommands = Pick<ControlPlane, 'createProject' | 'listProjects' | 'deleteProject'>;

const namePattern = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** Projects: created with their repository, deleted with all that is theirs. */
export function projectCommands(parts: CommandParts): ProjectCommands {
  const { ports } = parts;
  const view = (name: string): ProjectView => ({ name, remote: `${ports.settings.apiUrl()}/git/${name}.git` });
  return {
    createProject: async (name) => {
      if (!namePattern.test(name)) {
        throw new CoppiceError('invalid-request', `"${name}" cannot be a project's name`, {
          hint: 'it becomes part of host names: lower-case letters, digits and hyphens, starting with a letter, at most 40 characters',
        });
      }
      const project = ports.store.projects.create(name);
      await ports.repositories.create(project.id);
      return view(name);
    },
    listProjects: () => ports.store.projects.list().map((project) => view(project.name)),
    deleteProject: async (name, actor) => {
      const project = projectNamed(ports.store, name);
      for (const environment of ports.store.environments.list(name)) {
        await removeEnvironment(parts, environment, { actor, cause: `project ${name} was deleted`, ref: refOfBranch(environment.branch) });
      }
      await ports.repositories.delete(project.id);
      ports.store.projects.delete(name);
    },
  };
}
