import { spawn } from 'node:child_process';
import { CoppiceError } from '@coppice/model';
import { redactOutput } from '../build/step-output.ts';

const keptOutputLines = 30;
const maxStdoutBytes = 64 * 1024 * 1024;

export interface ToolRun {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What is being done, for the message of a failure: `installing nginx`. */
  readonly purpose: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program of the host to its end and resolves with its standard output. The program dies with this process.
 * Errors: `missing-tool` where it is not installed, `cancelled`, else `base-failed` with the last lines it printed, without the logins in URLs.
 */
export function runTool(run: ToolRun): Promise<string> {
  // A build must not go on, holding mounts, when the server that wanted it was killed.
  const [program = '', ...argv] = ['setpriv', '--pdeathsig', 'KILL', '--', ...run.argv];
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      cwd: run.cwd,
      env: run.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: run.signal,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    const tail: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes <= maxStdoutBytes) stdout.push(chunk);
      keepTail(tail, chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => keepTail(tail, chunk));
    child.on('error', (cause) => reject(startError(run, cause)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(stdout).toString('utf8'));
      if (code === 127) return reject(missingTool(run));
      const end = code === null ? `ended by ${signal}` : `exit code ${code}`;
      reject(new CoppiceError('base-failed', `${run.purpose}: ${end}\n${tail.map((line) => redactOutput(line, [])).join('\n')}`));
    });
  });
}

function keepTail(tail: string[], chunk: Buffer): void {
  tail.push(
    ...chunk
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== ''),
  );
  tail.splice(0, Math.max(0, tail.length - keptOutputLines));
}

function startError(run: ToolRun, cause: Error): CoppiceError {
  if (cause.name === 'AbortError') return new CoppiceError('cancelled', `${run.purpose}: cancelled`, { cause });
  if ('code' in cause && cause.code === 'ENOENT') return missingTool(run);
  return new CoppiceError('base-failed', `${run.purpose}: ${cause.message}`, { cause });
}

function missingTool(run: ToolRun): CoppiceError {
  return new CoppiceError('missing-tool', `${run.purpose}: ${run.argv[0]}, or a program it needs, is not installed`, {
    hint: 'run npm run setup',
  });
}
