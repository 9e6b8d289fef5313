import type { ActivityRef, TrashView } from '@coppice/control';
import type { Command } from 'commander';
import { followActivity } from '../follow-activity.ts';
import { print, readableBytes, table } from '../output.ts';
import { type OpenSession, projectPath } from './open-session.ts';

/** `coppice trash …` */
export function addTrashCommands(program: Command, open: OpenSession): void {
  const trash = program.command('trash').description('data that was deleted and can come back');
  trash
    .command('list')
    .description('newest first')
    .action(async () => {
      const session = await open();
      const thrown = await session.api.list<TrashView>(`${projectPath(session)}/trash`);
      const rows = thrown.map((view) => [
        view.id,
        view.environment,
        view.node ?? 'all',
        view.deletedAt,
        view.purgedAt,
        readableBytes(view.bytes),
      ]);
      print(session, thrown, () => table(['id', 'environment', 'data of', 'deleted', 'gone after', 'size'], rows, 'the trash is empty'));
    });
  trash
    .command('restore')
    .argument('<id>', 'see coppice trash list')
    .description('bring back the data of a node, or a whole environment with its branch')
    .action(async (id: string) => {
      const session = await open();
      const path = `${projectPath(session)}/trash/${encodeURIComponent(id)}/restore`;
      const { activity } = await session.api.send<ActivityRef>('POST', path);
      const ended = await followActivity(session, activity);
      print(session, ended, () => `restored ${id}`);
    });
  trash
    .command('empty')
    .description('delete all in the trash of the project for good')
    .action(async () => {
      const session = await open();
      const { activity } = await session.api.send<ActivityRef>('DELETE', `${projectPath(session)}/trash`);
      const ended = await followActivity(session, activity);
      print(session, ended, () => 'the trash is empty');
    });
}
