import { readFile, realpath } from 'node:fs/promises';
import { CoppiceError } from '@coppice/model';
import { isMissing } from './file-failure.ts';

/** What is mounted at a directory. */
export interface Mount {
  readonly directory: string;
  readonly fileSystem: string;
  /** The device, for one that has one. */
  readonly source: string;
  readonly options: readonly string[];
}

/** What one sees at exactly this directory, or undefined where nothing is mounted there. */
export async function findMount(directory: string): Promise<Mount | undefined> {
  const path = await pathOf(directory);
  return parseMounts(await readFile('/proc/self/mountinfo', 'utf8')).findLast((mount) => mount.directory === path);
}

/** The mount that one sees a directory in. Throws `volume-failed` where the kernel shows none. */
export async function findMountHolding(directory: string): Promise<Mount> {
  const path = `${await realpath(directory)}/`;
  const holding = parseMounts(await readFile('/proc/self/mountinfo', 'utf8')).filter((mount) =>
    path.startsWith(withSlash(mount.directory)),
  );
  // The later of two at one place hides the other.
  const [deepest] = holding.reverse().sort((left, right) => right.directory.length - left.directory.length);
  if (deepest === undefined) throw new CoppiceError('volume-failed', `nothing is known of what is mounted at ${directory}`);
  return deepest;
}

function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}

async function pathOf(directory: string): Promise<string | undefined> {
  try {
    return await realpath(directory);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The kernel's table of mounts, oldest first; see proc_pid_mountinfo(5). */
export function parseMounts(text: string): readonly Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ', 2);
      const [, , , , directory = '', options = ''] = before.split(' ');
      const [fileSystem = '', source = ''] = after.split(' ');
      return { directory: unescaped(directory), fileSystem, source: unescaped(source), options: options.split(',') };
    });
}

/** Spaces, tabs, line breaks and backslashes are octal there. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
