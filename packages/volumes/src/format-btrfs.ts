import { access } from 'node:fs/promises';
import { isMissing } from './file-failure.ts';
import { mustRun, runProgram } from './run-program.ts';

/** Metadata once: twice in one file on one disk guards against little, and a small commit takes a sixth longer. No discard: see `reserveBlocks`. */
const always = ['--quiet', '--nodiscard', '--metadata', 'single', '--data', 'single'];

/**
 * Makes an empty btrfs in a file or on a device, with the quotas that the kernel counts best where the program can switch them on; else
 * without, see `enableQuotas`. Throws `volume-failed`.
 */
export async function formatBtrfs(path: string): Promise<void> {
  // Named differently by programs before 6.3.
  const full = [
    ['--features', 'quota'],
    ['--runtime-features', 'quota'],
  ];
  for (const quotas of (await hasSimpleQuotas()) ? [['--features', 'squota']] : full) {
    const { exitCode } = await runProgram('mkfs.btrfs', [...always, ...quotas, path]);
    if (exitCode === 0) return;
  }
  await mustRun('mkfs.btrfs', [...always, path]);
}

async function hasSimpleQuotas(): Promise<boolean> {
  try {
    await access('/sys/fs/btrfs/features/simple_quota');
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
