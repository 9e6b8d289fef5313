import type { GitId } from '@coppice/model';
import type { ObjectReader } from './receiver.ts';

/** One bare repository, by git's own plumbing as an unprivileged user. Failures are CoppiceError `git-failed`, `conflict`, `not-found`. */
export interface Repository {
  readonly objects: ObjectReader;
  /** All in one transaction; `conflict` where a ref is not at `previous` any more. */
  updateRefs(updates: readonly { readonly ref: string; readonly previous: string; readonly next: string }[]): Promise<void>;
  /** Refs below a prefix, e.g. `refs/heads/`. */
  refs(prefix: string): Promise<ReadonlyMap<string, GitId>>;
  /** A commit known to the repository by full or short id, branch or tag; undefined where it is none. Takes untrusted text. */
  resolve(revision: string): Promise<GitId | undefined>;
  /** The nearest merge base of two commits, and how many commits `a` is ahead of it. */
  mergeBase(a: GitId, b: GitId): Promise<{ readonly base: GitId; readonly ahead: number } | undefined>;
  /** A commit with that tree and parent; resolves with its id. No ref moves. */
  commitTree(commit: { readonly tree: GitId; readonly parent: GitId; readonly message: string; readonly author: string }): Promise<GitId>;
  /** Adds a line to the commit's note under refs/notes/coppice. */
  appendNote(commit: GitId, line: string): Promise<void>;
}

/** All repositories below one directory, one per project id. */
export interface Repositories {
  create(project: string): Promise<void>;
  open(project: string): Repository;
  delete(project: string): Promise<void>;
  /** Removes locks and quarantines that a killed push left; only while no receive-pack lives. */
  sweep(): Promise<void>;
  /** Ends all children. */
  close(): Promise<void>;
}
