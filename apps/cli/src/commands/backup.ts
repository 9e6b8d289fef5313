import type { ActivityRef, BackupView } from '@coppice/control';
import type { Command } from 'commander';
import { followActivity } from '../follow-activity.ts';
import { print, readableBytes, table } from '../output.ts';
import { environmentPath, type OpenSession, projectPath } from './open-session.ts';

/** `coppice backup …` */
export function addBackupCommands(program: Command, open: OpenSession): void {
  const backup = program.command('backup').description('take, list and restore backups of whole environments');
  backup
    .command('create')
    .description('keep the environment as it is now, release, variables and data; prints the id')
    .action(async () => {
      const session = await open();
      const created = await session.api.send<{ readonly id: string }>('POST', `${environmentPath(session)}/backups`);
      print(session, created, () => created.id);
    });
  backup
    .command('list')
    .description('newest first; of the project, or of the environment that --env names')
    .action(async () => {
      const session = await open();
      const path = session.namedEnvironment === undefined ? projectPath(session) : environmentPath(session);
      const backups = await session.api.list<BackupView>(`${path}/backups`);
      const rows = backups.map((view) => [view.id, view.environment, view.createdAt, readableBytes(view.bytes), view.reason]);
      print(session, backups, () =>
        table(['id', 'environment', 'taken', 'size', 'reason'], rows, 'no backup yet; take one: coppice backup create'),
      );
    });
  backup
    .command('restore')
    .argument('<id>', 'see coppice backup list')
    .option('--to <env>', 'into this environment; the one it was taken of where missing')
    .description('bring the data of a backup back; what is there is backed up first')
    .action(async (id: string, { to }: { readonly to?: string }) => {
      const session = await open();
      const path = `${projectPath(session)}/backups/${encodeURIComponent(id)}/restore`;
      const { activity } = await session.api.send<ActivityRef>('POST', path, to === undefined ? {} : { to });
      const ended = await followActivity(session, activity);
      print(session, ended, () => `restored ${id}`);
    });
}
