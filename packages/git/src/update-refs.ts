import { CoppiceError } from '@coppice/model';
import type { GitHost } from './git-host.ts';
import { reasonLine } from './progress-text.ts';

export interface RefChange {
  /** Full name, `refs/…`. */
  readonly ref: string;
  /** 40 zeros: it must not exist. */
  readonly previous: string;
  /** 40 zeros: it goes. */
  readonly next: string;
}

const idPattern = /^[0-9a-f]{40}$/;
const refPattern = /^refs\/[^\0\n]+$/u;
/** What files-backend.c says when the world moved, in the C locale. */
const moved = /but expected|reference already exists|reference is missing|unable to resolve reference|cannot create|exists; cannot/;

/** Moves refs in one transaction, each from where it must be. Throws `conflict` where one is not there any more; then none has moved. */
export async function updateRefs(host: GitHost, repository: string, changes: readonly RefChange[]): Promise<void> {
  if (changes.length === 0) return;
  for (const { ref, previous, next } of changes) {
    if (!refPattern.test(ref) || !idPattern.test(previous) || !idPattern.test(next)) {
      throw new CoppiceError('git-failed', `not a change of a ref: ${reasonLine(ref)}`);
    }
  }
  const input = changes.map(({ ref, previous, next }) => `update ${ref}\0${next}\0${previous}\0`).join('');
  const result = await host.run({ args: ['--git-dir', repository, 'update-ref', '--stdin', '-z'], input });
  if (result.exitCode === 0) return;
  if (moved.test(result.stderr)) {
    const names = changes.map((change) => change.ref.replace(/^refs\/heads\//, '')).join(', ');
    throw new CoppiceError('conflict', `${names} moved on the server meanwhile`, {
      hint: 'fetch, merge or rebase, and push again',
      cause: new Error(result.stderr),
    });
  }
  throw new CoppiceError('git-failed', `the refs could not be moved: ${reasonLine(result.stderr)}`);
}
