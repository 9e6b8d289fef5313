import { renameSync, unlinkSync } from 'node:fs';
import { isErrno } from './durable-file.ts';

/** Takes a file from its place in this very turn, however large it is. False where it is gone for good: there was none, or no room for a new name. */
export function moveAway(path: string, away: string): boolean {
  try {
    renameSync(path, away);
    return true;
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOSPC') && !isErrno(error, 'EDQUOT')) throw error;
    unlinkIfThere(path);
    return false;
  }
}

/** Deletes a file in this very turn. */
export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
