/** The system user git runs as: it parses hostile input, so it owns the repositories and nothing else. */
export interface GitUser {
  readonly uid: number;
  readonly gid: number;
}

/** `coppice-git`: a fixed number, so that a data directory can move between hosts. It needs no line in /etc/passwd. */
export const defaultGitUser: GitUser = { uid: 64210, gid: 64210 };

/** Who git shall run as: `wanted` or the default where we are root, otherwise ourselves (undefined: no change of user). */
export function effectiveGitUser(wanted: GitUser | undefined): GitUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return wanted ?? defaultGitUser;
}
