import { CoppiceError } from '@coppice/model';
import type { DataCommands } from '../data-commands.ts';
import type { CommandParts } from './parts.ts';

/** Backups, copies, trash and garbage. */
export function dataCommands(_parts: CommandParts): DataCommands {
  const missing = async (): Promise<never> => {
    throw new CoppiceError('conflict', 'not there yet');
  };
  return {
    createBackup: missing,
    listBackups: missing,
    restoreBackup: missing,
    sync: missing,
    branch: missing,
    listTrash: missing,
    restoreTrash: missing,
    emptyTrash: missing,
    collectGarbage: missing,
  };
}
