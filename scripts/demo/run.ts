import { spawnSync } from 'node:child_process';

/** How a program is run for people to see. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Neither the command nor its output is shown. */
  readonly quiet?: boolean;
  /** Shown instead of the arguments. */
  readonly shown?: string;
}

/** Runs a program to its end, showing it as a shell would; throws where it fails. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): void {
  if (!options.quiet) process.stdout.write(`\n$ ${options.shown ?? [program, ...args].join(' ')}\n`);
  const { status, error, stderr } = spawnSync(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', options.quiet ? 'ignore' : 'inherit', options.quiet ? 'pipe' : 'inherit'],
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}${stderr ? `:\n${stderr}` : ''}`);
}
