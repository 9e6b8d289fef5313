import { CoppiceError } from '@coppice/model';

/** Whether the error says that a file or folder is not there. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, ['ENOENT']);
}

/** Whether the error says that a folder of that name is there, with something in it. */
export function isOccupied(error: unknown): boolean {
  return hasCode(error, ['EEXIST', 'ENOTEMPTY']);
}

/** Runs `work`, turning what the file system throws into CoppiceError `volume-failed`; where there is no room, that says what is full. */
export async function volumeWork<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (isFull(error, why)) {
      throw new CoppiceError('volume-failed', `could not ${what}: the file system of the volumes is full (${why})`, {
        cause: error,
        hint: roomHint,
      });
    }
    if (error instanceof CoppiceError) throw error;
    throw new CoppiceError('volume-failed', `could not ${what}: ${why}`, { cause: error });
  }
}

const roomHint = 'make room on the disk of the data directory, or delete what lies there: coppice trash empty, coppice gc';

/** Also where a program said so. */
function isFull(error: unknown, why: string): boolean {
  return hasCode(error, ['ENOSPC']) || (error instanceof CoppiceError && /No space left on device/.test(why));
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
