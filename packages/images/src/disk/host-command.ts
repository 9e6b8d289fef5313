import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CoppiceError } from '@coppice/model';
import { isErrno } from '../store/durable-file.ts';

const run = promisify(execFile);

/** Runs a program of the host with its arguments, for at most a minute. Throws `missing-tool`, or `internal` with what it said. */
export async function hostCommand(program: string, argv: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(program, [...argv], { timeout: 60_000, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } });
    return stdout;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      throw new CoppiceError('missing-tool', `${program} is not installed`, { cause: error, hint: 'run npm run setup' });
    }
    const said = error instanceof Error ? error.message.trim() : String(error);
    throw new CoppiceError('internal', `${program} failed: ${said}`, { cause: error });
  }
}
