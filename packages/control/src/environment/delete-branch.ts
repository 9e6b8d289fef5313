import { CoppiceError } from '@coppice/model';
import type { Ports } from '../ports.ts';
import { repositoryOf } from './repository-of.ts';

/** A branch that goes with its environment. */
export interface BranchRemoval {
  readonly project: string;
  readonly ref: string;
  /** What the ref is at; empty: it is gone already. */
  readonly previous: string;
}

const none = '0'.repeat(40);

/** Deletes the ref of a deleted environment; one that is gone is fine. Throws `conflict` where it moved meanwhile. */
export async function deleteBranch(ports: Ports, { project, ref, previous }: BranchRemoval): Promise<void> {
  if (previous === '') return;
  const repository = repositoryOf(ports, project);
  if (!(await repository.refs('refs/heads/')).has(ref)) return;
  await repository.updateRefs([{ ref, previous, next: none }]).catch((error: unknown) => {
    throw new CoppiceError('conflict', `the environment is deleted, but ${ref} moved meanwhile`, { cause: error });
  });
}
