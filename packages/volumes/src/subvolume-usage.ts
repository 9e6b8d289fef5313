import { CoppiceError } from '@coppice/model';
import { mustRun } from './run-program.ts';

/** What a subvolume holds, and how much of that nobody else does, in bytes. Simple quotas count for both what was written to it. */
export interface SubvolumeUsage {
  readonly heldBytes: number;
  readonly ownBytes: number;
}

/** As of the file system's last commit, without looking at any file. Throws `volume-failed`, also where there are no quotas. */
export async function readSubvolumeUsage(path: string): Promise<SubvolumeUsage> {
  return parseSubvolumeUsage(await mustRun('btrfs', ['qgroup', 'show', '--raw', '-f', path]));
}

/** From what `btrfs qgroup show --raw -f` says of one path. Throws `volume-failed` where there is no row. */
export function parseSubvolumeUsage(text: string): SubvolumeUsage {
  const [, held, own] = /^0\/\d+\s+(\d+)\s+(\d+)/m.exec(text) ?? [];
  if (held === undefined || own === undefined) throw new CoppiceError('volume-failed', 'btrfs qgroup show tells nothing of the subvolume');
  return { heldBytes: Number(held), ownBytes: Number(own) };
}
