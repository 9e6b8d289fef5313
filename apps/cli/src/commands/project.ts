import type { ProjectView } from '@coppice/control';
import type { Command } from 'commander';
import { print, table } from '../output.ts';
import type { OpenSession } from './open-session.ts';

/** `coppice project …` */
export function addProjectCommands(program: Command, open: OpenSession): void {
  const project = program.command('project').description('create, list and delete projects');
  project
    .command('create')
    .argument('<name>')
    .description('create a project and print the remote to push to')
    .action(async (name: string) => {
      const session = await open();
      const created = await session.api.send<ProjectView>('POST', '/projects', { name });
      print(session, created, () => `created ${created.name}\ngit remote add coppice ${created.remote}`);
    });
  project
    .command('list')
    .description('all projects')
    .action(async () => {
      const session = await open();
      const projects = await session.api.list<ProjectView>('/projects');
      const rows = projects.map(({ name, remote }) => [name, remote]);
      print(session, projects, () => table(['name', 'remote'], rows, 'no project yet; create one: coppice project create NAME'));
    });
  project
    .command('delete')
    .argument('<name>')
    .description('delete a project with all its environments and data')
    .action(async (name: string) => {
      const session = await open();
      await session.api.send('DELETE', `/projects/${encodeURIComponent(name)}`);
      print(session, { name }, () => `deleted ${name}`);
    });
}
