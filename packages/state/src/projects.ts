import { CoppiceError } from '@coppice/model';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { opaqueId } from './opaque-id.ts';
import type { Project, ProjectStore } from './store.ts';

/** The projects, by name. */
export function projectStore(database: Database, clock: Clock): ProjectStore {
  const find = (name: string): Project | undefined =>
    database.get<Project>('SELECT id, name, created_at AS createdAt FROM projects WHERE name = @name', { name });
  return {
    create(name) {
      const project: Project = { id: opaqueId('p'), name, createdAt: clock.now().toISOString() };
      return database.transaction(() => {
        if (find(name) !== undefined) throw new CoppiceError('conflict', `a project named "${name}" is there already`);
        database.run('INSERT INTO projects (id, name, created_at) VALUES (@id, @name, @createdAt)', { ...project });
        return project;
      });
    },
    list: () => database.all<Project>('SELECT id, name, created_at AS createdAt FROM projects ORDER BY name'),
    find,
    delete: (name) => database.transaction(() => deleteProject(database, name, find(name))),
  };
}

function deleteProject(database: Database, name: string, project: Project | undefined): void {
  if (project === undefined) throw new CoppiceError('not-found', `there is no project named "${name}"`);
  const left = database.get<{ count: number }>('SELECT count(*) AS count FROM environments WHERE project = @name', { name })?.count ?? 0;
  if (left > 0) {
    throw new CoppiceError('conflict', `the project "${name}" still has ${left} environment${left === 1 ? '' : 's'}`, {
      hint: 'delete its environments first',
    });
  }
  database.run('DELETE FROM projects WHERE name = @name', { name });
}
