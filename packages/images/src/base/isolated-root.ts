import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoppiceError } from '@coppice/model';
import { runTool } from './run-tool.ts';

const enterRoot = fileURLToPath(new URL('./enter-root.sh', import.meta.url));

/** A root file system under construction: what is written lands in `upper`, above `lower` that stays as it is. */
export interface IsolatedRoot {
  /** Where the root appears inside the namespaces of `run` and `runInside`. */
  readonly path: string;
  readonly upper: string;
  /** Where downloaded packages are kept, on the host. */
  readonly archives: string;
  /** Runs a program of the host that sees the root at `path` and has the network. */
  run(argv: readonly string[], purpose: string, environment: Readonly<Record<string, string>>): Promise<string>;
  /** Runs a shell command with the root as its `/`, as root, without any network. */
  runInside(command: string, purpose: string): Promise<string>;
}

/** A root over the folder `lower`, in the empty folder `scratch`. Nothing stays mounted between two calls. */
export async function isolatedRoot(options: {
  readonly lower: string;
  readonly scratch: string;
  readonly signal: AbortSignal | undefined;
}): Promise<IsolatedRoot> {
  const { lower, scratch, signal } = options;
  // overlayfs reads its options as one string in which these separate.
  if (/[,:\\]/.test(lower + scratch))
    throw new CoppiceError('base-failed', `the folder for bases may hold no comma, colon or backslash: ${scratch}`);
  const path = join(scratch, 'root');
  const upper = join(scratch, 'upper');
  const work = join(scratch, 'work');
  const archives = join(scratch, 'archives');
  for (const folder of [path, upper, work, archives]) await mkdir(folder, { recursive: true });
  const enter = (namespaces: readonly string[], argv: readonly string[], purpose: string, environment: Readonly<Record<string, string>>) =>
    runTool({
      argv: [
        'unshare',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        ...namespaces,
        enterRoot,
        lower,
        upper,
        work,
        path,
        archives,
        ...argv,
      ],
      environment,
      purpose,
      signal,
    });
  return {
    path,
    upper,
    archives,
    run: (argv, purpose, environment) => enter([], argv, purpose, environment),
    runInside: (command, purpose) => enter(['--net'], ['chroot', path, '/bin/sh', '-euc', command], purpose, packageEnvironment),
  };
}

/** What maintainer scripts and set-up commands see. */
export const packageEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};
