import { CoppiceError, isCoppiceError, redact } from '@coppice/model';

/** The same failure without any of the secrets in what people read of it: last words of an application may hold what it was given. */
export function redactedFailure(error: unknown, secrets: readonly string[]): unknown {
  if (!isCoppiceError(error)) {
    const message = `internal error: ${error instanceof Error ? error.message : String(error)}`;
    return new CoppiceError('internal', redact(message, secrets), { cause: error });
  }
  return new CoppiceError(error.code, redact(error.message, secrets), {
    cause: error,
    diagnostics: error.diagnostics.map((diagnostic) => ({ ...diagnostic, message: redact(diagnostic.message, secrets) })),
    ...(error.hint === undefined ? {} : { hint: redact(error.hint, secrets) }),
  });
}
