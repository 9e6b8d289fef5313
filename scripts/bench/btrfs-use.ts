import { readSubvolumeUsage } from '../../packages/volumes/src/subvolume-usage.ts';
import { mustRun } from '../../test/e2e/harness.ts';

/** Bytes of a subvolume that no other shares, its metadata included, once all that was written is on disk. The file system has quotas on. */
export async function exclusiveBytes(subvolume: string): Promise<number> {
  await mustRun('sync', ['--file-system', '--', subvolume]);
  return (await readSubvolumeUsage(subvolume)).ownBytes;
}
