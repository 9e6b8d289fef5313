import type { RefUpdate } from '@coppice/git';

const heads = 'refs/heads/';

/** Whether the update is of a branch: only these deploy. */
export function isHead(update: Pick<RefUpdate, 'ref'>): boolean {
  return update.ref.startsWith(heads);
}

/** Whether it deletes the ref. */
export function isDeletion(update: Pick<RefUpdate, 'next'>): boolean {
  return isZero(update.next);
}

/** Whether an id means "none". */
export function isZero(id: string): boolean {
  return /^0+$/.test(id);
}

/** The branch's name. */
export function branchOf(update: Pick<RefUpdate, 'ref'>): string {
  return update.ref.slice(heads.length);
}

/** The full ref of a branch. */
export function refOfBranch(branch: string): string {
  return `${heads}${branch}`;
}
