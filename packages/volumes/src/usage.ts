import { CoppiceError } from '@coppice/model';
import { runProgram } from './run-program.ts';

/** Bytes that a folder takes on disk, files that vanish meanwhile left out. Throws `volume-failed`. */
export async function readUsage(path: string): Promise<number> {
  const { exitCode, stdout, stderr } = await runProgram('du', ['--summarize', '--block-size=1', '--', path]);
  const bytes = Number(stdout.split('\t')[0]);
  // A living application deletes files while they are counted.
  const onlyVanished = stderr.split('\n').every((line) => line === '' || line.endsWith('No such file or directory'));
  if (stdout === '' || !Number.isSafeInteger(bytes) || (exitCode !== 0 && !onlyVanished)) {
    throw new CoppiceError('volume-failed', `du failed (${exitCode}): ${stderr.trim()}`);
  }
  return bytes;
}
