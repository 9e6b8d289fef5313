import { setTimeout as pause } from 'node:timers/promises';
import type { Growth, HostVolumes, NoVolumeFileSystem, VolumeFileSystem } from '@coppice/volumes';
import type { Log } from './logger.ts';

/** Somebody may write a gigabyte in so long; a look takes a fraction of a millisecond. */
const defaultMs = 2_000;

/** What is looked after, until when, and how often. */
export interface Watch {
  readonly fileSystem: Pick<VolumeFileSystem, 'kind' | 'growIfNeeded'> | NoVolumeFileSystem;
  readonly volumes: Pick<HostVolumes, 'adjustLimits'>;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly everyMs?: number;
}

/**
 * Enlarges the file system of the volumes when it fills, and keeps the limits of sets right, until `signal`. What goes wrong or keeps it from
 * growing is logged once for as long as it is the same.
 */
export async function watchVolumes({ fileSystem, volumes, log, signal, everyMs = defaultMs }: Watch): Promise<void> {
  if (fileSystem.kind === 'none') return;
  const grow = lookAt('volumes.not-grown', log, async () => {
    const growth = await fileSystem.growIfNeeded();
    if (growth.kind === 'grown') log('volumes.grown', { fromBytes: growth.fromBytes, toBytes: growth.toBytes });
    return blockedBy(growth);
  });
  const limit = lookAt('volumes.limits', log, async () => {
    await volumes.adjustLimits();
    return undefined;
  });
  while (await pauses(everyMs, signal)) {
    await grow();
    await limit();
  }
}

function blockedBy(growth: Growth): Trouble | undefined {
  if (growth.kind !== 'blocked' || growth.by === 'not an image') return undefined;
  return { event: 'volumes.full', key: growth.by, details: { blockedBy: growth.by } };
}

interface Trouble {
  readonly event: string;
  readonly key: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function lookAt(failed: string, log: Log, look: () => Promise<Trouble | undefined>): () => Promise<void> {
  let said: string | undefined;
  return async () => {
    const trouble = await look().catch((error: unknown) => ({ event: failed, key: String(error), details: { error } }));
    if (trouble !== undefined && trouble.key !== said) log(trouble.event, trouble.details);
    said = trouble?.key;
  };
}

async function pauses(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}
