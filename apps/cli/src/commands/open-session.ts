import type { Session } from '../session.ts';

/** Opens the session of the command that runs, from its flags. */
export type OpenSession = () => Promise<Session>;

/** Path of the project in the API. */
export function projectPath(session: Session): string {
  return `/projects/${encodeURIComponent(session.project())}`;
}

/** Path of the environment that the command is about. */
export function environmentPath(session: Session, name?: string): string {
  return `${projectPath(session)}/environments/${name === undefined ? session.environment() : encodeURIComponent(name)}`;
}
