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

/**
 * Switches them on where they are off: simple ones where the kernel has them. With many copies of 1 GB full ones made each sync twenty times
 * slower, and the deletion of a copy seventeen times (decision 018).
 */
export async function enableQuotas(directory: string, folder: string): Promise<QuotaMode> {
  const before = await readQuotaMode(folder);
  if (before !== 'off') return before;
  if (!(await enableSimpleQuotas(directory))) {
    await mustRun('btrfs', ['quota', 'enable', directory]);
    await mustRun('btrfs', ['quota', 'rescan', '-w', directory]);
  }
  return readQuotaMode(folder);
}

/** `BTRFS_IOC_QUOTA_CTL` with `BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA` (linux/btrfs.h): Linux has it since 6.7, the program of Debian 12 has not. */
const enableByCall = `
  use Fcntl;
  sysopen(my $folder, $ARGV[0], O_RDONLY) or die "$!";
  my $command = pack('QQ', 4, 0);
  ioctl($folder, 0xC0109428, $command) or die "$!";
`;

/** False where the kernel has none. */
async function enableSimpleQuotas(directory: string): Promise<boolean> {
  const byProgram = await runProgram('btrfs', ['quota', 'enable', '--simple', directory]);
  if (byProgram.exitCode === 0) return true;
  const byCall = await runProgram('perl', ['-e', enableByCall, directory]).catch(() => undefined);
  return byCall?.exitCode === 0;
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
