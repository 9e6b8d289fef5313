import type { EnvironmentView } from '@coppice/control';
import { CoppiceError, isCoppiceError } from '@coppice/model';
import { localCommit } from '../local-commit.ts';
import { short } from '../output.ts';
import type { Session } from '../session.ts';
import { projectPath } from './open-session.ts';

/** A revision as it was given, and as the server is asked for it: the full id of a commit of the clone, else what was given. */
export interface Revision {
  readonly given: string;
  readonly sent: string;
}

/** Inside a clone of the project a revision is what the clone takes it for; what it does not know goes to the server as it is. */
export async function revisionOf(session: Session, given: string): Promise<Revision> {
  return { given, sent: (session.clone && (await localCommit(session.clone, given))) ?? given };
}

/** The same for what may also be a deployment or an environment: those go first, as on the server. */
export async function comparedOf(session: Session, given: string): Promise<Revision> {
  const asGiven = { given, sent: given };
  if (given.startsWith('d_')) return asGiven;
  const revision = await revisionOf(session, given);
  if (revision.sent === given) return revision;
  const environments = await session.api.list<EnvironmentView>(`${projectPath(session)}/environments`);
  return environments.some(({ name, branch }) => name === given || branch === given) ? asGiven : revision;
}

/** What `ask` answers. A commit that the server does not know is named as it was given. */
export async function askAbout<Answer>(revisions: readonly Revision[], ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!isCoppiceError(error, 'not-found')) throw error;
    const named = revisions.filter(({ given, sent }) => given !== sent);
    const message = named.reduce(
      (text, { given, sent }) => text.replace(`"${sent}"`, `"${given}" (commit ${short(sent)} of this clone)`),
      error.message,
    );
    throw new CoppiceError('not-found', message, { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  }
}
