import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { isMissing } from './file-failure.ts';

/** How a program ended. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const maxOutputBytes = 1024 * 1024;
/** Characters of a program's words that go into a message: one that copies can name each of a million files. */
const maxQuoted = 2000;

/** Runs a program of the host, without a shell. A failure of its own is a result; throws `missing-tool` where it is not there. */
export function runProgram(program: string, args: readonly string[]): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: maxOutputBytes };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else if (isMissing(error))
        reject(new CoppiceError('missing-tool', `the program ${program} is not there`, { cause: error, hint: 'npm run setup' }));
      else reject(error);
    });
  });
}

/** Whether a program is where `runProgram` finds it. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs a program, where nothing but success will do. Throws `volume-failed` with what the program said. */
export async function mustRun(program: string, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(program, args);
  if (exitCode === 0) return stdout;
  throw new CoppiceError('volume-failed', `${program} ${args.join(' ')} failed (${exitCode}): ${stderr.trim().slice(0, maxQuoted)}`);
}
