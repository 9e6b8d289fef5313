import { mustRun } from './run-program.ts';
import type { ClonePaths } from './volume-storage.ts';

/** `-a` alone would pass over extended attributes that cannot be copied. */
const exact = ['--archive', '--preserve=mode,ownership,timestamps,links,xattr', '--no-target-directory'];

/** Copies a folder with all that is in it and all that is said of it; `how` is one more flag of `cp`. Throws `volume-failed`. */
export async function copyFolder({ from, to }: ClonePaths, how: `--${string}`): Promise<void> {
  // A copy that outlives a killed server would write into what the next one sweeps away.
  await mustRun('setpriv', ['--pdeathsig', 'KILL', '--', 'cp', ...exact, how, '--', from, to]);
}
