import { CoppiceError, type ErrorCode } from '@coppice/model';
import Sqlite from 'better-sqlite3';

/**
 * Runs `work`, turning what SQLite or the file system throws into CoppiceError; all else goes through. `what` is for the message: a
 * statement or what was tried, never a value.
 */
export function guarded<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) {
      throw new CoppiceError(codeOf(error.code), `the state database refused (${error.code}): ${error.message}, in: ${what}`, {
        cause: error,
      });
    }
    if (error instanceof Error && 'syscall' in error) {
      throw new CoppiceError('state-failed', `the state database could not be used: ${error.message}`, { cause: error });
    }
    // The driver's word for a database that was closed.
    if (error instanceof TypeError && error.message.includes('database connection')) {
      throw new CoppiceError('state-failed', `the state database could not be used: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function codeOf(sqliteCode: string): ErrorCode {
  if (sqliteCode === 'SQLITE_CONSTRAINT_UNIQUE' || sqliteCode === 'SQLITE_CONSTRAINT_PRIMARYKEY') return 'conflict';
  if (sqliteCode === 'SQLITE_CONSTRAINT_FOREIGNKEY') return 'not-found';
  return 'state-failed';
}
