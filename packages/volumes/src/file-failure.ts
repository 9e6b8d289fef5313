import { CoppiceError } from '@coppice/model';

/** Whether the error says that a file or folder is not there. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, ['ENOENT']);
}

/** Whether the error says that a folder of that name is there, with something in it. */
export function isOccupied(error: unknown): boolean {
  return hasCode(error, ['EEXIST', 'ENOTEMPTY']);
}

/** Runs `work`, turning what the file system throws into CoppiceError `volume-failed`. */
export async function volumeWork<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CoppiceError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CoppiceError('volume-failed', `could not ${what}: ${why}`, { cause: error });
  }
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
