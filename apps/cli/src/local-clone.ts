import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Where git keeps the things of a local clone. Both are the same folder, but in a linked worktree. */
export interface LocalClone {
  /** Holds HEAD. */
  readonly own: string;
  /** Holds refs, objects and settings. */
  readonly common: string;
}

/** The clone that `folder` lies in, found as git finds it; undefined where there is none. */
export function findClone(folder: string): LocalClone | undefined {
  const own = gitFolder(join(folder, '.git'));
  if (existsSync(join(own, 'HEAD'))) return { own, common: resolve(own, firstLine(join(own, 'commondir')) ?? '.') };
  const parent = dirname(folder);
  return parent === folder ? undefined : findClone(parent);
}

/** gitrepository-layout(5): `.git` is the folder itself, or a file that says `gitdir: ` and where it is. */
function gitFolder(path: string): string {
  return resolve(dirname(path), firstLine(path)?.replace(/^gitdir: /, '') ?? path);
}

function firstLine(file: string): string | undefined {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file, 'utf8').split('\n')[0] : undefined;
}
