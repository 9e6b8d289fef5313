import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the database with its write-ahead log, and bytes that are free where the data directory lies; undefined where unknown. */
export async function diskUsage(
  directory: string,
): Promise<{ readonly stateBytes: number | undefined; readonly freeBytes: number | undefined }> {
  const [database, log, free] = await Promise.allSettled([
    stat(join(directory, 'state.db')),
    stat(join(directory, 'state.db-wal')),
    statfs(directory),
  ]);
  const logBytes = log.status === 'fulfilled' ? log.value.size : 0;
  return {
    stateBytes: database.status === 'fulfilled' ? database.value.size + logBytes : undefined,
    freeBytes: free.status === 'fulfilled' ? free.value.bavail * free.value.bsize : undefined,
  };
}
