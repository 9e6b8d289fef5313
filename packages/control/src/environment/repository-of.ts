import type { Repository } from '@coppice/git';
import { CoppiceError } from '@coppice/model';
import type { Ports } from '../ports.ts';

/** The repository of a project, by the project's name. */
export function repositoryOf(ports: Pick<Ports, 'store' | 'repositories'>, project: string): Repository {
  const record = ports.store.projects.find(project);
  if (!record) throw new CoppiceError('not-found', `no project is named "${project}"`);
  return ports.repositories.open(record.id);
}
