import { type ErrorCode, isCoppiceError } from '@coppice/model';

/** The exit codes of the interfaces note. */
export const exitCode = { done: 0, failed: 1, usage: 2, notFound: 3, notAllowed: 4, unreachable: 5, changes: 10 } as const;

const byCode: { readonly [Code in ErrorCode]?: number } = {
  'invalid-configuration': exitCode.usage,
  'invalid-request': exitCode.usage,
  'missing-tool': exitCode.usage,
  'not-found': exitCode.notFound,
  'not-allowed': exitCode.notAllowed,
  unauthenticated: exitCode.notAllowed,
};

/** The exit code a failure ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ServerUnreachable) return exitCode.unreachable;
  return isCoppiceError(error) ? (byCode[error.code] ?? exitCode.failed) : exitCode.failed;
}

/** Nobody answers at the server's address. */
export class ServerUnreachable extends Error {
  override readonly name = 'ServerUnreachable';
}
