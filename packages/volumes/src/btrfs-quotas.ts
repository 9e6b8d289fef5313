import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { isMissing } from './file-failure.ts';
import { mustRun, runProgram } from './run-program.ts';
import type { Quota, QuotaMode } from './volume-file-system.ts';

/** How a file system counts, from the folder where the kernel tells of it. */
export async function readQuotaMode(folder: string): Promise<QuotaMode> {
  const qgroups = join(folder, 'qgroups');
  if ((await read(join(qgroups, 'enabled'))) !== '1') return 'off';
  return (await read(join(qgroups, 'mode'))) === 'squota' ? 'simple' : 'full';
}

/** Switches them on where they are off: simple ones where program and kernel have them, for they cost nothing when a snapshot is deleted. */
export async function enableQuotas(directory: string, folder: string): Promise<QuotaMode> {
  const before = await readQuotaMode(folder);
  if (before !== 'off') return before;
  const simple = await runProgram('btrfs', ['quota', 'enable', '--simple', directory]);
  if (simple.exitCode !== 0) {
    await mustRun('btrfs', ['quota', 'enable', directory]);
    await mustRun('btrfs', ['quota', 'rescan', '-w', directory]);
  }
  return readQuotaMode(folder);
}

/** Throws `volume-failed`. */
export async function limitSubvolume(path: string, limitBytes: number | 'none'): Promise<void> {
  await mustRun('btrfs', ['qgroup', 'limit', String(limitBytes), path]);
}

/** Throws `volume-failed`. */
export async function readSubvolumeQuota(path: string): Promise<Quota> {
  const id = (await mustRun('btrfs', ['inspect-internal', 'rootid', path])).trim();
  return parseQuota(await mustRun('btrfs', ['qgroup', 'show', '--raw', '-re', '-f', path]), id);
}

/** The row of one subvolume in what `btrfs qgroup show --raw -re` says. Throws `volume-failed` where there is none. */
export function parseQuota(text: string, subvolume: string): Quota {
  const row = text.split('\n').find((line) => line.startsWith(`0/${subvolume} `));
  const [, used, , limit] = row?.split(/\s+/) ?? [];
  if (used === undefined || limit === undefined) throw new CoppiceError('volume-failed', `no quota is kept for subvolume ${subvolume}`);
  return { usedBytes: Number(used), limitBytes: limit === 'none' ? 'none' : Number(limit) };
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
