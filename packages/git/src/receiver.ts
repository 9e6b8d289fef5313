import type { GitId, SourceTree } from '@coppice/model';

/** One ref update of a push, already parsed and allowed by name. Ids of 40 zeros stand for "none". */
export interface RefUpdate {
  /** `refs/heads/…` or `refs/tags/…`. */
  readonly ref: string;
  readonly previous: GitId;
  readonly next: GitId;
}

/** A push as the hooks hand it over. */
export interface PushContext {
  /** The project's id, which names its repository. */
  readonly project: string;
  readonly actor: string;
  readonly options: readonly string[];
  readonly updates: readonly RefUpdate[];
  /** Reads objects, those in quarantine included while `prepare` runs. */
  readonly objects: ObjectReader;
  /** Writes a line that the client shows as `remote: …`; control characters are removed here. */
  readonly say: (line: string) => void;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
}

/** What the control plane does with a push. `receiver` calls `prepare` from pre-receive and `deploy` from proc-receive. */
export interface PushHandler {
  /** Validates and builds all. A thrown error, or an answer with refusals, refuses the whole push. */
  prepare(push: PushContext): Promise<PushVerdict>;
  /** Deploys and moves the refs itself (`Repository.updateRefs`); one result per update of `refs/heads/*`, in order. */
  deploy(push: PushContext): Promise<readonly RefResult[]>;
}

export type PushVerdict = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly lines: readonly string[] };
export type RefResult =
  | { readonly kind: 'ok'; readonly ref: string }
  | { readonly kind: 'refused'; readonly ref: string; readonly why: string };

export interface CommitInfo {
  readonly id: GitId;
  readonly tree: GitId;
  readonly parents: readonly GitId[];
  readonly author: string;
  readonly subject: string;
}

/** Reads of one repository, through one long-lived `cat-file --batch`. */
export interface ObjectReader {
  commit(id: GitId): Promise<CommitInfo>;
  /** The tree of a commit, checked against the caps on entries, depth, bytes and link targets (`invalid-tree`). */
  tree(id: GitId): Promise<SourceTree>;
}
