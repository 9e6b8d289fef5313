import { promises } from 'node:fs';
import git from 'isomorphic-git';
import { findClone, type LocalClone } from './local-clone.ts';

/** What the local clone tells: which server and project its remote is, the branch that is checked out, and where it lies. */
export interface CloneContext {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly project: string | undefined;
  readonly branch: string | undefined;
  readonly clone: LocalClone | undefined;
}

const nothing: CloneContext = { url: undefined, token: undefined, project: undefined, branch: undefined, clone: undefined };

/** Reads the clone that `folder` lies in; nothing where there is none. A remote named `coppice` goes before others. */
export async function readClone(folder: string): Promise<CloneContext> {
  const clone = findClone(folder);
  if (clone === undefined) return nothing;
  const remotes = await git.listRemotes({ fs: { promises }, gitdir: clone.common });
  const ordered = [...remotes].sort((a, b) => Number(b.remote === 'coppice') - Number(a.remote === 'coppice'));
  const branch = (await git.currentBranch({ fs: { promises }, gitdir: clone.own })) ?? undefined;
  for (const { url } of ordered) {
    const found = parseRemote(url);
    if (found) return { ...found, branch, clone };
  }
  return { ...nothing, branch, clone };
}

/** A remote of a Coppice server: `http(s)://[user:token@]host/git/PROJECT.git`; undefined for any other. */
export function parseRemote(remote: string): Pick<CloneContext, 'url' | 'token' | 'project'> | undefined {
  if (!URL.canParse(remote)) return undefined;
  const url = new URL(remote);
  const project = /^\/git\/([a-z0-9-]+)\.git\/?$/.exec(url.pathname)?.[1];
  if (!project || !/^https?:$/.test(url.protocol)) return undefined;
  return { url: `${url.protocol}//${url.host}`, token: url.password === '' ? undefined : decodeURIComponent(url.password), project };
}
