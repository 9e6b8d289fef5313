import type { GarbageItem } from '@coppice/control';
import type { Command } from 'commander';
import { print, table, withShortIds } from '../output.ts';
import type { OpenSession } from './open-session.ts';

/** `coppice gc` */
export function addGarbageCommand(program: Command, open: OpenSession): void {
  program
    .command('gc')
    .option('--dry-run', 'only say what would be done')
    .description('delete what nothing needs any more, of all projects, and say why each thing stays or goes')
    .action(async (options: { readonly dryRun?: boolean }) => {
      const session = await open();
      const { items } = await session.api.send<{ readonly items: readonly GarbageItem[] }>('POST', '/gc', {
        dryRun: options.dryRun === true,
      });
      const rows = items.map((item) => [item.action, item.kind, withShortIds(item.id), item.why]);
      print(session, items, () => table(['action', 'kind', 'id', 'why'], rows, 'there is nothing to look at'));
    });
}
