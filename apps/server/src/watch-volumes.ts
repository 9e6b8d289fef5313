import { setTimeout as pause } from 'node:timers/promises';
import type { NoVolumeFileSystem, VolumeFileSystem } from '@coppice/volumes';
import type { Log } from './logger.ts';

/** Somebody may write a gigabyte in so long; a look takes a fraction of a millisecond. */
const defaultMs = 2_000;

/** Until when, and how often. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly everyMs?: number;
}

/** What of a file system is asked again and again. */
export type WatchedFileSystem = Pick<VolumeFileSystem, 'kind' | 'growIfNeeded'> | NoVolumeFileSystem;

/** Enlarges the file system of the volumes when it fills, until `signal`. What hinders it is logged when it changes. */
export async function watchVolumes(fileSystem: WatchedFileSystem, log: Log, { signal, everyMs = defaultMs }: Watch): Promise<void> {
  if (fileSystem.kind !== 'image') return;
  let said = '';
  while (!signal.aborted) {
    try {
      await pause(everyMs, undefined, { signal, ref: false });
      const growth = await fileSystem.growIfNeeded();
      const blockedBy = growth.kind === 'blocked' ? growth.by : '';
      if (growth.kind === 'grown') log('volumes.grown', { fromBytes: growth.fromBytes, toBytes: growth.toBytes });
      if (blockedBy !== '' && blockedBy !== said) log('volumes.full', { blockedBy });
      said = blockedBy;
    } catch (error) {
      if (!signal.aborted) log('volumes.not-grown', { error });
    }
  }
}
