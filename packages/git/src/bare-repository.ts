import { CoppiceError, type GitId, parseGitId } from '@coppice/model';
import type { GitHost } from './git-host.ts';
import { appendNote } from './notes.ts';
import type { ObjectSource } from './object-process.ts';
import type { ObjectReader } from './receiver.ts';
import { refNameProblem, shortRefName } from './ref-name.ts';
import type { Repository } from './repository.ts';
import type { SerialQueue } from './serial-queue.ts';
import { updateRefs } from './update-refs.ts';

/** What a repository is made of. */
export interface BareRepositoryParts {
  readonly host: GitHost;
  /** Absolute path of the bare repository. */
  readonly path: string;
  readonly source: ObjectSource;
  readonly objects: ObjectReader;
  readonly notes: SerialQueue;
}

/** A repository by git's own plumbing. */
export function bareRepository(parts: BareRepositoryParts): Repository {
  const { host, path, source, objects, notes } = parts;
  return {
    objects,
    updateRefs: async (updates) => await updateRefs(host, path, updates),
    refs: async (prefix) => await listRefs(host, path, prefix),
    resolve: async (revision) => await resolve(parts, revision),
    mergeBase: async (a, b) => await mergeBase(host, path, a, b),
    commitTree: async (commit) => await commitTree(host, path, commit),
    appendNote: async (commit, line) => await notes.run(async () => await appendNote({ host, path, source, commit, line })),
  };
}

/** Refs below `prefix`, which names whole path parts and ends with a slash. */
export async function listRefs(host: GitHost, path: string, prefix: string): Promise<ReadonlyMap<string, GitId>> {
  const format = '--format=%(objectname) %(refname)';
  const output = await host.expect({ args: ['--git-dir', path, 'for-each-ref', format, '--', prefix] });
  const refs = new Map<string, GitId>();
  for (const line of output.toString('utf8').split('\n')) {
    const id = parseGitId(line.slice(0, 40));
    if (id) refs.set(line.slice(41), id);
  }
  return refs;
}

async function resolve({ host, path, source }: BareRepositoryParts, revision: string): Promise<GitId | undefined> {
  if (/^[0-9a-f]{40}$/.test(revision)) return await commitOf(source, revision);
  if (refNameProblem(revision) === undefined) {
    const refs = await listRefs(host, path, 'refs/');
    const named = refs.get(`refs/heads/${revision}`) ?? refs.get(`refs/tags/${revision}`) ?? (shortRefName(revision) && refs.get(revision));
    if (named) return await commitOf(source, named);
  }
  return /^[0-9a-f]{4,39}$/.test(revision) ? await commitOf(source, revision) : undefined;
}

/** The commit itself, or the one an annotated tag leads to. */
async function commitOf(source: ObjectSource, id: string): Promise<GitId | undefined> {
  let next = id;
  for (let hops = 0; hops < 8; hops += 1) {
    const info = await source.info(next);
    if (info?.type === 'commit') return parseGitId(info.id);
    if (info?.type !== 'tag') return undefined;
    const tag = await source.contents(info.id, 1024 * 1024);
    next = /^object ([0-9a-f]{40})\n/.exec(tag?.content.toString('latin1') ?? '')?.[1] ?? '';
  }
  return undefined;
}

async function mergeBase(
  host: GitHost,
  path: string,
  a: GitId,
  b: GitId,
): Promise<{ readonly base: GitId; readonly ahead: number } | undefined> {
  const found = await host.run({ args: ['--git-dir', path, 'merge-base', a, b] });
  const base = parseGitId(found.stdout.toString('latin1').trim());
  if (found.exitCode === 0 && base) {
    const ahead = await host.expect({ args: ['--git-dir', path, 'rev-list', '--count', a, `^${base}`] });
    return { base, ahead: Number(ahead.toString('latin1').trim()) };
  }
  if (found.exitCode === 1) return undefined;
  throw new CoppiceError('git-failed', `no merge base of ${a} and ${b}: ${found.stderr}`);
}

async function commitTree(host: GitHost, path: string, commit: Parameters<Repository['commitTree']>[0]): Promise<GitId> {
  const name = commit.author
    .replace(/\p{Cc}/gu, '')
    .replace(/[<>]/g, '')
    .trim();
  const output = await host.expect({
    args: ['--git-dir', path, 'commit-tree', '-p', commit.parent, '-F', '-', commit.tree],
    input: commit.message,
    environment: { GIT_AUTHOR_NAME: name || 'Coppice' },
  });
  const id = parseGitId(output.toString('latin1').trim());
  if (!id) throw new CoppiceError('git-failed', 'git commit-tree named no commit');
  return id;
}
