import type { Diagnostic } from './diagnostic.ts';

/** The closed catalogue of what may be thrown across packages; each code stands in docs/reference/errors.md. */
export const errorCodes = [
  'invalid-configuration', // the file, with diagnostics
  'invalid-request', // an API call or argument
  'invalid-tree', // a pushed tree that is refused: symlinks out, submodules, bombs
  'not-found',
  'not-allowed',
  'unauthenticated',
  'conflict', // the world moved: a stale push, a name in use
  'idempotency-key-reused', // an API call with the key of another one
  'limit-exceeded', // too large, too many
  'data-loss-refused', // a push that would remove, rename or re-type a node with data
  'build-failed', // a step: output, exit code, which step
  'build-limit', // time, memory, disk, processes or output of a build
  'job-failed', // a deploy hook or the like
  'not-ready', // a release that does not become ready, with its reason
  'cancelled',
  'superseded', // by a newer push
  'engine-unreachable',
  'engine-failed',
  'router-failed',
  'volume-failed',
  'git-failed',
  'catalog-invalid',
  'base-failed', // a base image that could not be built
  'state-failed',
  'secret-unreadable', // the key file does not open what is stored
  'missing-tool', // a program of the host that set-up would install
  'interrupted', // a job that may not run twice was cut off
  'internal',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** What is thrown where a failure is not a value. Messages are for people: what, where, what is allowed, what to do. */
export class CoppiceError extends Error {
  override readonly name = 'CoppiceError';
  readonly code: ErrorCode;
  readonly diagnostics: readonly Diagnostic[];
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly diagnostics?: readonly Diagnostic[]; readonly hint?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.diagnostics = options.diagnostics ?? [];
    this.hint = options.hint;
  }
}

/** Whether `error` is a CoppiceError, of that code where one is given. */
export function isCoppiceError(error: unknown, code?: ErrorCode): error is CoppiceError {
  return error instanceof CoppiceError && (code === undefined || error.code === code);
}
