import { promises } from 'node:fs';
import { CoppiceError } from '@coppice/model';
import git from 'isomorphic-git';
import type { LocalClone } from './local-clone.ts';

const fs = { promises };

/**
 * The full id of the commit that a revision is in the local clone: `HEAD` or `@`, a branch, a tag, `origin/main`, an id or the start of
 * one, each followed by any `~N` and `^N` as in gitrevisions(7). As on the server, a branch goes before a tag. Undefined where the clone
 * does not know the name, but a server may. Throws `not-found` for what only a clone can know, and this one does not.
 */
export async function localCommit(clone: LocalClone, revision: string): Promise<string | undefined> {
  const [, name = '', steps = ''] = /^(.*?)((?:[~^]\d*)*)$/s.exec(revision) ?? [];
  const packs = {};
  let commit = await commitNamed(clone, name, packs);
  for (const [step] of steps.matchAll(/[~^]\d*/g)) commit = commit && (await ancestor(clone, { commit, step, packs }));
  if (commit === undefined && /^(?:HEAD|@)$|[~^:]|@\{|\.\./.test(revision)) {
    throw new CoppiceError('not-found', `"${revision}" is no commit of this clone`, {
      hint: 'write a branch, a tag, HEAD or the id of a commit, each with ~N or ^N after it where wanted',
    });
  }
  return commit;
}

/** Branches are commits always and of ids the server knows the kind: only a tag is read, since that reads whole packs. */
async function commitNamed(clone: LocalClone, name: string, packs: object): Promise<string | undefined> {
  if (name === 'HEAD' || name === '@') return await headOf(clone);
  const branch = await refNamed(clone, name, ['refs/heads/']);
  if (branch !== undefined) return branch;
  const tag = await refNamed(clone, name, ['refs/tags/', 'refs/remotes/', 'refs/', '']);
  if (tag === undefined) return await idStarting(clone, name, packs);
  return (await expected(git.readCommit({ fs, gitdir: clone.common, oid: tag, cache: packs })))?.oid ?? tag;
}

/** HEAD is the worktree's own, the branch that it names is not. */
async function headOf({ own, common }: LocalClone): Promise<string | undefined> {
  const branch = await git.currentBranch({ fs, gitdir: own, fullname: true });
  return await expected(git.resolveRef({ fs, gitdir: branch ? common : own, ref: branch ?? 'HEAD' }));
}

async function refNamed({ common }: LocalClone, name: string, prefixes: readonly string[]): Promise<string | undefined> {
  if (!/^[^\s~^:?*[\\]+$/.test(name) || name.includes('..')) return undefined;
  for (const ref of prefixes.map((prefix) => `${prefix}${name}`)) {
    const id = ref.startsWith('refs/') ? await expected(git.resolveRef({ fs, gitdir: common, ref })) : undefined;
    if (id !== undefined) return id;
  }
  return undefined;
}

async function idStarting({ common }: LocalClone, start: string, packs: object): Promise<string | undefined> {
  if (/^[0-9a-f]{40}$/.test(start)) return start;
  return /^[0-9a-f]{4,39}$/.test(start) ? await expected(git.expandOid({ fs, gitdir: common, oid: start, cache: packs })) : undefined;
}

interface Ancestry {
  readonly commit: string;
  /** `~N`: N first parents back; `^N`: the Nth parent, 0 for the commit itself. N is 1 where missing. */
  readonly step: string;
  readonly packs: object;
}

async function ancestor({ common }: LocalClone, { commit, step, packs }: Ancestry): Promise<string | undefined> {
  const parents = async (oid: string): Promise<readonly string[]> =>
    (await expected(git.readCommit({ fs, gitdir: common, oid, cache: packs })))?.commit.parent ?? [];
  const count = step.length === 1 ? 1 : Number(step.slice(1));
  if (step.startsWith('^')) return count === 0 ? commit : (await parents(commit))[count - 1];
  let found: string | undefined = commit;
  for (let left = count; left > 0 && found !== undefined; left -= 1) found = (await parents(found))[0];
  return found;
}

/** Undefined where isomorphic-git finds nothing, several, or something that is no commit. */
async function expected<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'NotFoundError' || code === 'AmbiguousError' || code === 'ObjectTypeError') return undefined;
    throw error;
  }
}
