import { existsSync, promises } from 'node:fs';
import { dirname, join } from 'node:path';
import git from 'isomorphic-git';

/** What the local clone tells: which server and project its remote is, and the branch that is checked out. */
export interface CloneContext {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly project: string | undefined;
  readonly branch: string | undefined;
}

const nothing: CloneContext = { url: undefined, token: undefined, project: undefined, branch: undefined };

/** Reads the clone that `folder` lies in; nothing where there is none. A remote named `coppice` goes before others. */
export async function readClone(folder: string): Promise<CloneContext> {
  const root = findRoot(folder);
  if (root === undefined) return nothing;
  const remotes = await git.listRemotes({ fs: { promises }, dir: root });
  const ordered = [...remotes].sort((a, b) => Number(b.remote === 'coppice') - Number(a.remote === 'coppice'));
  const branch = (await git.currentBranch({ fs: { promises }, dir: root })) ?? undefined;
  for (const { url } of ordered) {
    const found = parseRemote(url);
    if (found) return { ...found, branch };
  }
  return { ...nothing, branch };
}

/** A remote of a Coppice server: `http(s)://[user:token@]host/git/PROJECT.git`; undefined for any other. */
export function parseRemote(remote: string): Omit<CloneContext, 'branch'> | undefined {
  if (!URL.canParse(remote)) return undefined;
  const url = new URL(remote);
  const project = /^\/git\/([a-z0-9-]+)\.git\/?$/.exec(url.pathname)?.[1];
  if (!project || !/^https?:$/.test(url.protocol)) return undefined;
  return { url: `${url.protocol}//${url.host}`, token: url.password === '' ? undefined : decodeURIComponent(url.password), project };
}

function findRoot(folder: string): string | undefined {
  if (existsSync(join(folder, '.git'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : findRoot(parent);
}
