import { CoppiceError } from '@coppice/model';
import type { Database } from './database.ts';
import { initial } from './migrations/0001-initial.ts';
import { livingCopies } from './migrations/0002-living-copies.ts';
import type { Migration } from './migrations/migration.ts';

/** Every migration, in order: position N leads to version N + 1. */
export const migrations: readonly Migration[] = [initial, livingCopies];

/**
 * Brings the schema to the newest version that `known` has, each step in a transaction of its own. Throws `state-failed` for a database
 * that a newer Coppice wrote, which is left as it is.
 */
export function migrate(database: Database, known: readonly Migration[] = migrations): void {
  if (database.version > known.length) {
    throw new CoppiceError('state-failed', `the state database has version ${database.version}, this Coppice knows ${known.length}`, {
      hint: 'start the newer Coppice that wrote it, or restore a backup of its directory',
    });
  }
  for (const migration of known) {
    database.transaction(() => {
      // Read inside: another process may have done it meanwhile.
      if (database.version >= migration.version) return;
      database.script(migration.sql);
      database.version = migration.version;
    });
  }
}
