import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { isMissing } from './file-failure.ts';
import { mustRun, runProgram } from './run-program.ts';
import type { QuotaMode } from './volume-file-system.ts';

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

/** Of our groups; the file system may be the host's own, with groups of somebody else. */
const level = 12;

/** A subvolume, and all that anybody makes inside it: any user may, and with simple quotas the kernel counts those to the group above it. */
export interface SubvolumeTree {
  readonly path: string;
  /** Number of the subvolume. */
  readonly subvolume: string;
  /** Where the kernel tells of quota groups. */
  readonly qgroups: string;
}

/** Throws `volume-failed`. What was made inside before the first limit is not counted. */
export async function limitTree({ path, subvolume, qgroups }: SubvolumeTree, limitBytes: number | 'none'): Promise<void> {
  const group = `${level}/${subvolume}`;
  if (readTreeUsage({ subvolume, qgroups }) === undefined) {
    await mustRun('btrfs', ['qgroup', 'create', group, path]);
    // A server before this one may have limited the subvolume alone.
    await limitSubvolume(path, 'none');
  }
  await mustRun('btrfs', ['qgroup', 'limit', String(limitBytes), group, path]);
}

/**
 * Puts the subvolume below its group, where there is room; done already is done. Apart from making the group: a server may be killed between the
 * two. Throws `volume-failed`.
 */
export async function joinTree({ path, subvolume }: SubvolumeTree): Promise<void> {
  const { exitCode, stderr } = await runProgram('btrfs', [
    'qgroup',
    'assign',
    '--no-rescan',
    `0/${subvolume}`,
    `${level}/${subvolume}`,
    path,
  ]);
  if (exitCode === 0 || stderr.includes('File exists')) return;
  throw new CoppiceError('volume-failed', `btrfs did not put subvolume ${subvolume} below its quota group: ${stderr.trim()}`);
}

/** Bytes written by the subvolume and what is inside it; undefined before its first limit. The kernel answers from memory: waiting for threads would take longer. */
export function readTreeUsage({ subvolume, qgroups }: Pick<SubvolumeTree, 'subvolume' | 'qgroups'>): number | undefined {
  return readUsed(join(qgroups, `${level}_${subvolume}`));
}

/** The same of the subvolume alone; undefined once nothing of it is left. */
export function readSubvolumeUsed({ subvolume, qgroups }: Pick<SubvolumeTree, 'subvolume' | 'qgroups'>): number | undefined {
  return readUsed(join(qgroups, `0_${subvolume}`));
}

/** Deletes groups above subvolumes of which nothing is left; those that the kernel does not let go yet stay. */
export async function forgetTrees(qgroups: string, path: string): Promise<void> {
  const names = new Set(await readdir(qgroups));
  const ours = [...names].filter((name) => name.startsWith(`${level}_`)).map((name) => name.slice(`${level}_`.length));
  const left = ours.filter((subvolume) => !names.has(`0_${subvolume}`));
  for (const subvolume of left) await runProgram('btrfs', ['qgroup', 'destroy', `${level}/${subvolume}`, path]);
}

function readUsed(folder: string): number | undefined {
  try {
    return Number(readFileSync(join(folder, 'referenced'), 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
